// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Routes: where a request goes is the proxy's to say.
import { propertyText } from "./connections";
import { msm_release_route, msm_report_result, msm_select_route } from "./env";
import { JsonWriter } from "./json-writer";

const outHandle = memory.data(4, 4);

/** Looks a route up: `host`, `path`, `method`, `headers`, `source`. Returns its handle, also where there is none: ask for `reason`. 0 where it was refused. */
export function selectRoute(request: JsonWriter): u32 {
  store<u32>(outHandle, 0);
  msm_select_route(request.out.address, request.out.size, outHandle);
  return load<u32>(outHandle);
}

/** `cluster`, `endpoint`, `name`, `host`, `path`, `reason` or `status` of a route. */
export function routeText(handle: u32, which: string): string {
  return propertyText("msm.route." + handle.toString() + "." + which);
}

/** Tells how the endpoint did: a status as of HTTP, or 0 where the connection failed. */
export function reportResult(handle: u32, status: i32): void {
  msm_report_result(handle, status);
}

/** Forgets a route: a session of its endpoint is over. */
export function releaseRoute(handle: u32): void {
  msm_release_route(handle);
}
