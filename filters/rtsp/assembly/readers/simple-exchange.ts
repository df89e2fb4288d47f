// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { Client } from "./client";
import { Exchange } from "./exchange";

/** A request that is answered with 200 and fields at once. */
export class SimpleAnswer extends Exchange {
  constructor(
    client: Client,
    request: TextMessage,
    private readonly fields: string,
  ) {
    super(client, request);
  }

  protected proceed(): void {
    this.reply(200, this.fields);
  }
}

/** A request that is refused at once. */
export class Refusal extends Exchange {
  constructor(
    client: Client,
    request: TextMessage,
    private readonly status: i32,
    private readonly why: string,
    private readonly fields: string = "",
  ) {
    super(client, request);
  }

  protected proceed(): void {
    this.reply(this.status, this.fields + "Content-Type: text/plain\r\n", this.why + "\r\n");
  }
}
