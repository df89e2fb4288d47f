// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  JsonWriter,
  readDecimal,
  releaseRoute,
  reportResult,
  routeText,
  selectRoute,
  TextMessage,
} from "@msm/filter-sdk/assembly/signalling";
import { RtspUrl } from "../protocol/rtsp-url";

const json = new JsonWriter();

/** Where the mesh sends a request. Its endpoint counts one session more until `release`. */
export class Route {
  readonly cluster: string;
  readonly endpoint: string;
  /** What to ask the server for. */
  readonly url: string;
  /** Why there is no endpoint, and what to answer then. */
  readonly status: i32;
  readonly reason: string;

  private constructor(
    /** For `connectStream`. */
    readonly handle: u32,
    private readonly query: RouteQuery,
  ) {
    this.cluster = routeText(handle, "cluster");
    this.endpoint = routeText(handle, "endpoint");
    this.url = new RtspUrl(routeText(handle, "host"), "", routeText(handle, "path")).toString();
    this.status = handle == 0 ? 503 : <i32>readDecimal(routeText(handle, "status"));
    this.reason = handle == 0 ? "the proxy keeps no more routes" : routeText(handle, "reason");
  }

  static find(query: RouteQuery): Route {
    json.clear();
    query.write(json);
    return new Route(selectRoute(json), query);
  }

  /** What stands for the stream: the same for all who are to share it. */
  get key(): string {
    return this.cluster + " " + this.url;
  }

  /** The same question again: what it leads to may have changed. */
  again(): Route {
    return Route.find(this.query);
  }

  /** Tells how the endpoint did: a status, or 0 where it could not be connected or broke off. */
  report(status: i32): void {
    reportResult(this.handle, status);
  }

  release(): void {
    releaseRoute(this.handle);
  }
}

/** What a route is looked up by. */
export class RouteQuery {
  constructor(
    private readonly url: RtspUrl,
    private readonly message: TextMessage,
    /** The client, `ip:port`. */
    private readonly client: string,
  ) {}

  write(json: JsonWriter): void {
    json.beginObject();
    json.textField("host", this.url.authority);
    json.textField("path", this.url.path);
    json.textField("method", this.message.method);
    json.key("headers");
    json.beginObject();
    const names = this.message.names;
    const values = this.message.values;
    for (let i = 0; i < names.length; i++) {
      // Routes see no credentials. Of a repeated field the first counts: JSON has each key once.
      if (names[i] != "authorization" && names.indexOf(names[i]) == i) json.textField(names[i], values[i]);
    }
    json.endObject();
    json.textField("source", this.client);
    json.endObject();
  }
}
