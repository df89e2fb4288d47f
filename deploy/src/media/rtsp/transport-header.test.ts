// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTransport, parseTransports } from "./transport-header.ts";

test("reads the alternatives of RFC 2326 section 12.39 in their order", () => {
  const header = "RTP/AVP;multicast;ttl=127, rtp/avp/udp;unicast;client_port=3456-3457;mode=play";
  expect(parseTransports(header)).toMatchObject([
    { protocol: "RTP/AVP", isMulticast: true, clientPorts: undefined },
    { protocol: "RTP/AVP", isMulticast: false, clientPorts: [3456, 3457] },
  ]);
});

test("reads what it writes, and nothing that is no pair of ports", () => {
  const header = formatTransport("RTP/AVP/TCP", { interleaved: [2, 3], ssrc: "1A" });
  expect(parseTransports(header)).toMatchObject([{ protocol: "RTP/AVP/TCP", channels: [2, 3] }]);
  expect(parseTransports("RTP/AVP;client_port=70000-70001")).toMatchObject([{ clientPorts: undefined }]);
});

test("never throws, whatever the header", () => {
  fc.assert(fc.property(fc.string(), (text) => parseTransports(text).length > 0));
});
