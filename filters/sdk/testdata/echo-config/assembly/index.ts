// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Logs what it reads of its configuration, and where its heap ends, for the tests of the SDK.
import {
  ConfigReader,
  configuration,
  Filter,
  LogLevel,
  log,
  property,
  register,
} from "@msm/filter-sdk/assembly";

export * from "@msm/filter-sdk/assembly/abi";

let sourceBytes: u32 = 0;

class EchoConfig extends Filter {
  configure(): bool {
    const config = new ConfigReader(configuration());
    config.beginObject();
    while (config.nextKey()) {
      if (config.key == "text") log(LogLevel.Info, config.readString());
      else if (config.key == "number") log(LogLevel.Info, config.readNumber().toString());
      else if (config.key == "flag") log(LogLevel.Info, config.readBool() ? "true" : "false");
      else config.skipValue();
    }
    config.end();
    if (config.problem.length > 0) log(LogLevel.Error, config.problem);
    return config.problem.length == 0;
  }

  onSession(session: u32): void {
    sourceBytes = property("source.address").size;
  }

  onReport(): void {
    log(LogLevel.Info, "source " + sourceBytes.toString() + " heap " + heap.alloc(1).toString());
  }
}

register(new EchoConfig());
