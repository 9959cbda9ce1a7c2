"""What runs inside a service: the request contract, the front door, the record of traffic.

The folder is copied as it is into every Bento, as ``nbml_runtime``: imports between its modules are relative, and it
uses the standard library alone (and orjson, where it is installed). ``nbml.runtime`` and ``nbml_runtime`` are equal.

    instants       dates as ISO text             answers        bytes in and out: JSON
    columns        one column of a request       arriving       headers and bodies, within their limits
    conditions     ``where``                     front          ASGI: /predict, /v2, /healthz, /readyz
    checks         row expectations              openinference  the Open Inference Protocol; its tensors
    plan, quick    rows to columns               connections    uvicorn's connections: the door first, no slow headers
    document       OpenAPI of all of it          traffic        frames of the traffic over a pipe
    counts         /metrics                      executors      translated models
"""
