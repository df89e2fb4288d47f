# SPDX-FileCopyrightText: The Media Streaming Mesh authors
# SPDX-License-Identifier: Apache-2.0
"""grpc-core.py BOOTSTRAP TARGET: calls a target by xDS every 50 ms and prints each answer, or `error` and why."""

import os
import sys
import time

bootstrap, target = sys.argv[1:3]
# The library reads it when it is loaded.
os.environ["GRPC_XDS_BOOTSTRAP"] = bootstrap

import grpc  # noqa: E402

channel = grpc.insecure_channel(target)
name = channel.unary_unary("/conformance.Echo/Name", request_serializer=None, response_deserializer=None)

while True:
    try:
        print(name(b"", timeout=5).decode(), flush=True)
    except grpc.RpcError as error:
        print("error", error.details(), flush=True)
    time.sleep(0.05)
