// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  closeStream,
  connectionNumber,
  connectStream,
  contextText,
  Found,
  MessageReader,
  monotonicMs,
  passInterleaved,
  readData,
  readDecimal,
  StreamEvent,
  TextMessage,
  writeStream,
} from "@msm/filter-sdk/assembly/signalling";
import { Peer, removePeer, setPeer } from "../contexts";
import { ANSWER_MS, MAX_BODY_BYTES, MAX_HEAD_BYTES } from "../limits";
import { Waiter } from "../waiter";
import { UpstreamRequest } from "./upstream-request";

/** Who talks to a server. */
export abstract class UpstreamOwner extends Waiter {
  /** The server is connected, and may be asked. */
  abstract onUpstreamReady(): void;
  /** The server answered. */
  abstract onAnswer(request: UpstreamRequest, answer: TextMessage): void;
  /** The server is gone, or speaks no RTSP. The stream is closed. */
  abstract onUpstreamLost(problem: string): void;
}

/** A connection to a server: the client's side of RTSP. One request at a time, for not all servers take more. */
export class Upstream extends Peer {
  isReady: bool = false;
  /** `ip` of the server and of this end, from when it is ready. */
  remoteIp: string = "";
  localIp: string = "";
  /** The number by which interleaved legs name it. */
  connection: u64 = 0;
  private isLost: bool = false;
  private current: UpstreamRequest | null = null;
  private sentAt: i64 = 0;
  private sequence: i32 = 0;
  private readonly reader: MessageReader = new MessageReader("RTSP", MAX_HEAD_BYTES, MAX_BODY_BYTES);

  private constructor(
    private readonly context: u32,
    private readonly owner: UpstreamOwner,
  ) {
    super();
  }

  /** Begins to connect to the endpoint of a route; null where the proxy takes no more streams. */
  static connect(route: u32, owner: UpstreamOwner): Upstream | null {
    const context = connectStream(route);
    if (context == 0) return null;
    const upstream = new Upstream(context, owner);
    setPeer(context, upstream);
    return upstream;
  }

  /** Whether a request can be sent now. */
  get isIdle(): bool {
    return this.isReady && !this.isLost && this.current == null;
  }

  send(request: UpstreamRequest): void {
    this.current = request;
    this.sentAt = monotonicMs();
    if (!writeStream(this.context, request.text(++this.sequence)))
      this.lose("it does not read what it is sent");
  }

  /** Sends a last request whose answer nobody waits for, and closes. */
  end(request: UpstreamRequest | null): void {
    if (this.isLost) return;
    this.isLost = true;
    this.reader.release();
    if (request != null && this.isReady) writeStream(this.context, request.text(++this.sequence));
    closeStream(this.context, !this.isReady);
  }

  onData(size: u32, isEnd: bool): bool {
    if (this.isLost) return false;
    const data = readData(size, true);
    if (data != 0) this.read(data, size);
    if (isEnd) this.lose("it closed the connection");
    return false;
  }

  onStream(event: StreamEvent): void {
    if (event == StreamEvent.Connected && !this.isLost) this.onConnected();
    if (event == StreamEvent.Failed) this.lose("it cannot be connected");
    if (event == StreamEvent.Closed) this.lose("the connection broke");
    if (event == StreamEvent.Failed || event == StreamEvent.Closed) removePeer(this.context);
  }

  onClosed(): void {}

  advance(): void {}

  onTick(nowMs: i64): void {
    const current = this.current;
    if (current == null || this.isLost || nowMs - this.sentAt < ANSWER_MS) return;
    this.lose("it did not answer " + current.method + " in " + (ANSWER_MS / 1_000).toString() + " s");
  }

  private onConnected(): void {
    this.isReady = true;
    this.remoteIp = ipOf(contextText(this.context, "upstream.address"));
    this.localIp = ipOf(contextText(this.context, "destination.address"));
    this.connection = connectionNumber(this.context);
    this.owner.onUpstreamReady();
  }

  private read(data: usize, size: u32): void {
    const reader = this.reader;
    reader.begin(data, size);
    while (!this.isLost) {
      const found = reader.next();
      if (found == Found.Nothing) break;
      if (found == Found.Frame)
        passInterleaved(this.context, reader.channel, reader.packet, reader.packetSize);
      else if (found == Found.Message) this.onMessage(reader.message);
      else this.lose("it sent what is no RTSP: " + reader.problem);
    }
    if (this.isLost) reader.release();
    else reader.finish();
  }

  private onMessage(message: TextMessage): void {
    if (message.isRequest) {
      // Servers may ask whether the client is alive. What else they may want is not served.
      const status = message.method == "OPTIONS" ? "200 OK" : "501 Not Implemented";
      writeStream(this.context, "RTSP/1.0 " + status + "\r\nCSeq: " + message.field("cseq") + "\r\n\r\n");
      return;
    }
    const current = this.current;
    const sequence = message.field("cseq");
    if (current == null || message.status < 200) return;
    if (sequence.length > 0 && readDecimal(sequence) != this.sequence) return;
    this.current = null;
    this.owner.onAnswer(current, message);
  }

  private lose(problem: string): void {
    if (this.isLost) return;
    this.isLost = true;
    // What it keeps is released by whoever reads, for this may be in the midst of that.
    closeStream(this.context, true);
    this.owner.onUpstreamLost(problem);
  }
}

/** The address in `ip:port`, IPv6 without its brackets. */
export function ipOf(address: string): string {
  const ip = address.substring(0, address.lastIndexOf(":"));
  return ip.startsWith("[") ? ip.substring(1, ip.length - 1) : ip;
}
