// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Transmit } from "./outgoing-stream.ts";

/** The sockets of one media stream: RTP on an even port, RTCP on the next (RFC 3550 section 11). */
export interface UdpPair {
  readonly rtp: Socket;
  readonly rtcp: Socket;
  readonly rtpPort: number;
  close(): void;
}

/** What the kernel is asked for, so that a pause of this process loses nothing; it may give less. */
const RECEIVE_BUFFER_BYTES = 4 << 20;
const ATTEMPTS = 100;

/**
 * Binds a pair of sockets. Port 0 finds a free even port whose successor is free too; any other port is taken as it
 * is and an error of the bind (`EADDRINUSE`) is passed on.
 */
export async function bindUdpPair(address: string, rtpPort = 0): Promise<UdpPair> {
  for (let attempt = 1; ; attempt++) {
    const rtp = await bind(address, rtpPort);
    const port = rtp.address().port;
    try {
      if (rtpPort === 0 && port % 2 !== 0) throw new Error("odd port");
      const rtcp = await bind(address, port + 1);
      return { rtp, rtcp, rtpPort: port, close: () => [rtp, rtcp].forEach((socket) => void socket.close()) };
    } catch (error) {
      rtp.close();
      if (rtpPort !== 0 || attempt === ATTEMPTS) throw error;
    }
  }
}

function bind(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: isIPv6(address) ? "udp6" : "udp4",
      recvBufferSize: RECEIVE_BUFFER_BYTES,
    });
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners("error");
      // A later error concerns one datagram; the statistics show what is missing.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

/** Sends RTP to a port of an address, and RTCP to `rtcpPort`, which is one above unless another is given. */
export function udpTransmit(
  { rtp, rtcp }: UdpPair,
  address: string,
  rtpPort: number,
  rtcpPort = rtpPort + 1,
): Transmit {
  return (datagram, isRtcp, onSent) => {
    const [socket, port] = isRtcp ? [rtcp, rtcpPort] : [rtp, rtpPort];
    socket.send(datagram, port, address, onSent);
  };
}
