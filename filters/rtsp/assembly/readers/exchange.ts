// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { reasonOf } from "../protocol/status";
import { Waiter } from "../waiter";
import { Client } from "./client";

/**
 * One request of a client, until it is answered. `proceed` is called whenever something may have changed, looks at how far
 * things are, does or asks for what is missing, and answers when nothing is.
 */
export abstract class Exchange extends Waiter {
  /** It was answered, or its client is gone. */
  isDone: bool = false;
  /** The server was asked, and its answer is `answer` when it is there. */
  isAsked: bool = false;
  /** Its source knows that it waits. */
  isWaiting: bool = false;
  answer: TextMessage | null = null;

  constructor(
    readonly client: Client,
    readonly request: TextMessage,
  ) {
    super();
  }

  /** Looks at how far things are. Not called once it is done. */
  protected abstract proceed(): void;

  advance(): void {
    if (!this.isDone) this.proceed();
  }

  /** The client is gone. */
  onAbandoned(): void {}

  /** Answers with fields, each a line with its end. */
  reply(status: i32, fields: string = "", body: string = ""): void {
    if (this.isDone) return;
    this.isDone = true;
    this.client.answer(this.request, status, reasonOf(status), fields, body);
  }

  /** Answers that it cannot be done, and says why. */
  refuse(status: i32, why: string): void {
    this.reply(status, "Content-Type: text/plain\r\n", why + "\r\n");
  }

  /** Answers as the server did. */
  pass(answer: TextMessage): void {
    if (this.isDone) return;
    if (answer.status >= 300 && answer.status < 400) {
      this.refuse(
        502,
        "the source is elsewhere, at " + answer.field("location") + ": name that in the route",
      );
      return;
    }
    let fields = "";
    for (let i = 0; i < answer.names.length; i++) {
      const name = answer.names[i];
      if (name == "www-authenticate") fields += "WWW-Authenticate: " + answer.values[i] + "\r\n";
      if (name == "content-type") fields += "Content-Type: " + answer.values[i] + "\r\n";
    }
    const body = answer.status == 200 ? answer.body : "";
    this.isDone = true;
    const reason = answer.reason.length > 0 ? answer.reason : reasonOf(answer.status);
    this.client.answer(this.request, answer.status, reason, fields, body);
  }
}
