"""Every threshold of judgement, in one place: chosen on seeds 0 to 49 of ``benchmarks/judgement.py``, then frozen."""

from __future__ import annotations

#: rows of each side that are looked at for equal rows; cells of a table at most
ROWS, CELLS = 100_000, 20_000_000
#: rows that a model is asked for, rows that a plain rival is fitted on, columns that are looked at one by one
ASKED, FITTED, COLUMNS = 2_000, 2_000, 300
#: seconds after which no further check begins
SECONDS = 20.0

# overfit: how much of what was learned is lost, standard errors of the gap and of the rival's lead, and the lead itself;
# what was learned, as part of a dummy's loss, where nothing of it is left on the test rows
LOST, GAP_SE, RIVAL_SE, RIVAL_LEAD, MEMORISED = 0.4, 3.0, 1.7, 0.2, 0.3
# below-baseline: chance that shuffled answers do as well; share of a plain model's skill that is too little, and its standard errors
CHANCE, SHUFFLES, SKILL_SHARE, SKILL_SE = 0.01, 300, 0.5, 3.0
# empty-metric: share of the most frequent class, standard errors above it, recall of the worst class
MAJORITY, MAJORITY_SE, RECALL = 0.8, 2.0, 0.5
# split-overlap: share of the test rows, rows; what is expected by chance must stay below this part of what is seen
SHARED, SHARED_ROWS, BY_CHANCE = 0.01, 2, 0.2
#: distances within which a row is another's near twin, as parts of how far the nearest row is as a rule; rows of train at most
NEAR, NEAR_TRAIN = (0.02, 0.05, 0.1, 0.2, 0.3), 30_000
# target-leak: skill of one column; lead over the next that is no twin of it, above a lower skill
SKILL, SKILL_LEAD, SKILL_LOWER, LOWER_LEAD, TWIN = 0.985, 0.05, 0.93, 0.2, 0.98
# order-leak: skill of the neighbours in time where rows carry a time and where only their order is known
NEIGHBOURS_TIME, NEIGHBOURS_ORDER, NEIGHBOURS_RAW, NEIGHBOURS_Z, INTERLEAVED = 0.15, 0.2, 0.5, 4.0, 0.3
# order-leak by groups: share of the test rows whose group is in train, likeness within groups, its z
GROUPED, ALIKE, ALIKE_Z = 0.3, 0.2, 4.0
#: rows that a statement may lose
LOST_ROWS = 0.05
