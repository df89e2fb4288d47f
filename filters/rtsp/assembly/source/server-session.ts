// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { monotonicMs, Sdp, TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { resolveUrl } from "../protocol/rtsp-url";
import { Route } from "./route";
import { Upstream, UpstreamOwner } from "./upstream";
import { UpstreamRequest } from "./upstream-request";

/** A server is asked for a sign of life at least so often: a dead one is noticed by that. */
const MAX_KEEP_ALIVE_MS: i64 = 15_000;

/** The session that a source has with its server: the requests on their way, and what keeps it alive. */
export abstract class ServerSession extends UpstreamOwner {
  /** As it was described first; null until then. */
  sdp: Sdp | null = null;
  protected upstream: Upstream | null = null;
  /** What the tracks are relative to, at the server. */
  protected base: string = "";
  /** The server's; empty before SETUP. */
  protected sessionId: string = "";
  protected timeoutMs: i64 = 60_000;
  /** Credentials that hold for any request. */
  protected credentials: string = "";
  protected requests: UpstreamRequest[] = [];
  private keepAliveMethod: string = "";
  private lastAskedAt: i64 = 0;

  constructor(protected route: Route) {
    super();
  }

  /** What readers of all tracks address, at the server. */
  protected get aggregateUrl(): string {
    const sdp = this.sdp;
    return resolveUrl(this.base, sdp == null ? "" : sdp.control);
  }

  protected selectAgain(): void {
    const route = this.route.again();
    this.route.release();
    this.route = route;
  }

  protected sessionRequest(method: string, signed: string): UpstreamRequest {
    const request = new UpstreamRequest(
      method,
      this.aggregateUrl,
      signed.length > 0 ? signed : this.credentials,
    );
    request.add("Session", this.sessionId);
    return request;
  }

  protected describeRequest(authorization: string): UpstreamRequest {
    const request = new UpstreamRequest("DESCRIBE", this.route.url, authorization);
    request.add("Accept", "application/sdp");
    return request;
  }

  protected send(upstream: Upstream, request: UpstreamRequest): void {
    this.lastAskedAt = monotonicMs();
    upstream.send(request);
  }

  /** Asks for a sign of life when it is time. */
  protected keepAlive(nowMs: i64): void {
    if (this.sessionId.length == 0) return;
    if (nowMs - this.lastAskedAt < min(this.timeoutMs / 2, MAX_KEEP_ALIVE_MS)) return;
    const method = this.keepAliveMethod.length > 0 ? this.keepAliveMethod : "OPTIONS";
    this.requests.push(this.sessionRequest(method, ""));
    this.advance();
  }

  /** Learns from the answer what the server can be kept alive with. */
  protected noteAlive(answer: TextMessage): void {
    if (answer.status != 200) this.keepAliveMethod = "OPTIONS";
    else if (this.keepAliveMethod.length == 0 && answer.field("public").includes("GET_PARAMETER")) {
      this.keepAliveMethod = "GET_PARAMETER";
    }
  }

  /** Ends the server's session and the connection. */
  protected endUpstream(): void {
    const upstream = this.upstream;
    this.upstream = null;
    if (upstream == null) return;
    upstream.end(this.sessionId.length > 0 ? this.sessionRequest("TEARDOWN", "") : null);
  }
}
