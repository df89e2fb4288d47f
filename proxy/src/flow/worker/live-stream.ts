// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LiveStream } from "../../datapath/datapath.ts";
import { formatSocketAddress } from "../../datapath/sockaddr.ts";
import type { StreamReport } from "../../wasm/stream-report.ts";
import { type LegRecords, LegWord } from "../leg-records.ts";
import type { RunningFlow } from "./running-flow.ts";

/** A stream that a filter of a flow reports, with what there is to say of the flow. */
export function liveStream(
  stream: StreamReport & { readonly filter: string },
  { number, stream: name, active, receiverCount }: RunningFlow,
  records: LegRecords,
  worker: number,
): LiveStream {
  const remote = active && records.address(active.record, LegWord.remote);
  const client = remote === undefined ? "" : formatSocketAddress(remote);
  return {
    ...stream,
    listener: name === "" ? `flow ${number}` : name,
    worker,
    client,
    endpoint: `${receiverCount} receivers`,
    source: client,
  };
}
