// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { MAX_URI_BYTES } from "../limits";
import { RtspUrl } from "../protocol/rtsp-url";
import { sessionIdOf } from "../protocol/session-field";
import { AnnounceExchange } from "../publish/announce-exchange";
import { beginPublishing } from "../publish/begin-publishing";
import { Client } from "./client";
import { DescribeExchange } from "./describe-exchange";
import { Exchange } from "./exchange";
import { ParameterExchange } from "./parameter-exchange";
import { PauseExchange } from "./pause-exchange";
import { PlayExchange } from "./play-exchange";
import { SetupExchange } from "./setup-exchange";
import { Refusal, SimpleAnswer } from "./simple-exchange";
import { TeardownExchange } from "./teardown-exchange";

/** What is served, as OPTIONS says it. */
const METHODS =
  "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER, ANNOUNCE, RECORD";

/** Begins what a request asks for. */
export function beginExchange(client: Client, request: TextMessage): Exchange {
  const refusal = refuseHead(client, request);
  if (refusal != null) return refusal;
  const method = request.method;
  if (method == "OPTIONS") return new SimpleAnswer(client, request, "Public: " + METHODS + "\r\n");
  if (!METHODS.split(", ").includes(method)) {
    return new Refusal(client, request, 501, method + " is not served; " + METHODS + " are");
  }
  const url = RtspUrl.parse(request.uri);
  if (url == null && request.uri != "*")
    return new Refusal(client, request, 400, "the URI is no rtsp:// URL");
  if (method == "ANNOUNCE" && url != null) return new AnnounceExchange(client, request, url);
  if (method == "DESCRIBE" && url != null) return new DescribeExchange(client, request, url);
  const publishing = beginPublishing(client, request);
  if (publishing != null) return publishing;
  if (method == "SETUP" && url != null) return new SetupExchange(client, request, url);
  if (!request.has("session") && isParameter(method)) return new ParameterExchange(client, request, null);
  return beginInSession(client, request);
}

function beginInSession(client: Client, request: TextMessage): Exchange {
  const id = sessionIdOf(request.field("session"));
  for (let i = 0; i < client.sessions.length; i++) {
    const session = client.sessions[i];
    if (session.id != id) continue;
    const method = request.method;
    if (method == "PLAY") return new PlayExchange(client, request, session);
    if (method == "PAUSE") return new PauseExchange(client, request, session);
    if (method == "TEARDOWN") return new TeardownExchange(client, request, session);
    if (isParameter(method)) return new ParameterExchange(client, request, session);
    return new Refusal(client, request, 455, method + " is for those that publish: ANNOUNCE comes first");
  }
  return new Refusal(client, request, 454, "this connection has no session of that id");
}

function refuseHead(client: Client, request: TextMessage): Exchange | null {
  if (request.version != "RTSP/1.0") return new Refusal(client, request, 505, "RTSP/1.0 is spoken here");
  if (!request.has("cseq")) return new Refusal(client, request, 400, "CSeq is missing");
  if (request.uri.length > MAX_URI_BYTES) return new Refusal(client, request, 414, "the URI is too long");
  // No option tag is known; RFC 2326 section 12.32.
  const required = request.field("require") + request.field("proxy-require");
  if (required.length == 0) return null;
  return new Refusal(
    client,
    request,
    551,
    required + " is not supported",
    "Unsupported: " + required + "\r\n",
  );
}

function isParameter(method: string): bool {
  return method == "GET_PARAMETER" || method == "SET_PARAMETER";
}
