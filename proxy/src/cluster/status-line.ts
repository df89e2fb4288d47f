// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { HealthVerdict } from "./health-checker.ts";

/**
 * Checks the status line of an RTSP or SIP answer: a server that answers below 500 is well, be it that it does not
 * know the caller or the method. Throws a `HealthVerdict` otherwise.
 */
export function checkStatusLine(answer: string, protocol: string): void {
  const [line = ""] = answer.split("\r\n", 1);
  const [version, status] = line.split(" ");
  if (version !== protocol)
    throw new HealthVerdict(`answered "${line.slice(0, 80)}", which is not ${protocol}`);
  if (!(Number(status) < 500)) throw new HealthVerdict(`answered ${line.slice(0, 80)}`);
}
