"""What runs inside a service: the request contract, the front door, the record of traffic.

The folder is copied as it is into every Bento, as ``nbml_runtime``: imports between its modules are relative, and it
uses the standard library alone (and orjson, where it is installed). ``nbml.runtime`` and ``nbml_runtime`` are equal.

    instants    dates as ISO text            answers    bytes out: answers and errors as JSON
    columns     one column of a request      front      ASGI: /predict, /healthz, /readyz
    conditions  ``where``                    document   OpenAPI of /predict
    checks      row expectations             traffic    frames of the traffic over a pipe
    plan        rows to columns
"""
