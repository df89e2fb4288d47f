// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  ConfigReader,
  configuration,
  propertyNumber,
  propertyText,
} from "@msm/filter-sdk/assembly/signalling";

const MAX_SESSION_TIMEOUT_S: f64 = 3_600;

/** What the listener and the configuration say; one for the whole filter. */
class Settings {
  /** Address that peers are told; empty for that of their connection. */
  advertisedAddress: string = "";
  /** Address on which media are received; empty for that of the connection. */
  localAddress: string = "";
  /** `AUTOMATIC`, `UDP` or `INTERLEAVED`. */
  upstreamTransport: string = "";
  lingerMs: i64 = 0;
  idleTimeoutMs: u32 = 0;
  /** How long a reader may be silent. RFC 2326 section 12.37 has 60 seconds where nothing is said. */
  sessionTimeoutS: i64 = 60;
}

export const settings = new Settings();

/** Reads what the listener says, which may change while it runs. */
export function followListener(): void {
  settings.advertisedAddress = propertyText("msm.media.advertised_address");
  settings.localAddress = propertyText("msm.media.local_address");
  settings.upstreamTransport = propertyText("msm.media.upstream_transport");
  settings.lingerMs = <i64>propertyNumber("msm.media.upstream_linger_ms");
  settings.idleTimeoutMs = <u32>propertyNumber("msm.listener.idle_timeout_ms");
}

/** Reads the configuration. Returns what is wrong with the configuration; empty where nothing is. */
export function readSettings(): string {
  const config = new ConfigReader(configuration());
  if (config.isEmpty()) return "";
  config.beginObject();
  while (config.nextKey()) {
    if (config.key == "sessionTimeoutSeconds") readSessionTimeout(config);
    else config.fail('unknown field "' + config.key + '"; there is only sessionTimeoutSeconds');
  }
  config.end();
  return config.problem;
}

function readSessionTimeout(config: ConfigReader): void {
  const seconds = config.readNumber();
  if (seconds >= 1 && seconds <= MAX_SESSION_TIMEOUT_S) settings.sessionTimeoutS = <i64>seconds;
  else config.fail("sessionTimeoutSeconds is 1 to 3600");
}
