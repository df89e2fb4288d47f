// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { sessionIdOf } from "../protocol/session-field";
import { Client } from "../readers/client";
import { Exchange } from "../readers/exchange";
import { SimpleAnswer } from "../readers/simple-exchange";
import { PublishSetupExchange } from "./publish-setup-exchange";
import { PublishStateExchange } from "./publish-state-exchange";

/** Begins a request that belongs to what the client publishes; null where it does not. */
export function beginPublishing(client: Client, request: TextMessage): Exchange | null {
  const publisher = client.publisher;
  if (publisher == null) return null;
  const isOfSession = sessionIdOf(request.field("session")) == publisher.id;
  const method = request.method;
  if (method == "SETUP") {
    const isBelow = !request.has("session") && request.uri.startsWith(publisher.url);
    return isOfSession || isBelow ? new PublishSetupExchange(client, request, publisher) : null;
  }
  if (!isOfSession) return null;
  if (method == "GET_PARAMETER" || method == "SET_PARAMETER") {
    return new SimpleAnswer(client, request, publisher.field);
  }
  return new PublishStateExchange(client, request, publisher);
}
