// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  closeConnection,
  connectionNumber,
  contextText,
  Found,
  keptBytes,
  MessageReader,
  monotonicMs,
  passInterleaved,
  readData,
  reply,
  resumeConnection,
  StreamEvent,
  setIdleTimeout,
  TextMessage,
} from "@msm/filter-sdk/assembly/signalling";
import { Peer } from "../contexts";
import { MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_KEPT_BYTES, MAX_PER_CONNECTION, MESSAGE_MS } from "../limits";
import { count, countRequest, Event } from "../metrics";
import { reasonOf } from "../protocol/status";
import { Publisher } from "../publish/publisher";
import { settings } from "../settings";
import { Source } from "../source/source";
import { ipOf } from "../source/upstream";
import { takeTurn, wake } from "../waiter";
import { beginExchange } from "./begin-exchange";
import { Exchange } from "./exchange";
import { ReaderSession } from "./reader-session";

/** A stream that was described on a connection. */
export class Description {
  constructor(
    readonly source: Source,
    /** As the client wrote it. */
    readonly url: string,
  ) {}
}

/** A client's connection: the server's side of RTSP. Its requests are answered one after the other, in their order. */
export class Client extends Peer {
  /** `ip:port`. */
  readonly remote: string;
  readonly remoteIp: string;
  readonly localIp: string;
  /** The number by which interleaved legs name it. */
  readonly connection: u64;
  /** The newest last. */
  readonly descriptions: Description[] = [];
  readonly sessions: ReaderSession[] = [];
  publisher: Publisher | null = null;
  private exchange: Exchange | null = null;
  private readonly reader: MessageReader = new MessageReader("RTSP", MAX_HEAD_BYTES, MAX_BODY_BYTES);
  /** Since when the rest of a message is missing; 0 while none is. */
  private incompleteSince: i64 = 0;
  private isReading: bool = false;
  private isPaused: bool = false;
  /** There are more requests than one callback takes. */
  private isWaiting: bool = false;
  private isEnding: bool = false;
  private isClosed: bool = false;

  constructor(private readonly context: u32) {
    super();
    const remote = contextText(context, "source.address");
    this.remote = remote;
    this.remoteIp = ipOf(remote);
    this.localIp = ipOf(contextText(context, "destination.address"));
    this.connection = connectionNumber(context);
  }

  /** The request that waits for something. */
  get pending(): Exchange | null {
    return this.exchange;
  }

  /** The address that the client is told for media. */
  get advertisedIp(): string {
    return settings.advertisedAddress.length > 0 ? settings.advertisedAddress : this.localIp;
  }

  /** The address that its media have here. */
  get mediaIp(): string {
    return settings.localAddress.length > 0 ? settings.localAddress : this.localIp;
  }

  /** Notes that it may set this stream up. */
  addDescription(source: Source, url: string): void {
    for (let i = this.descriptions.length - 1; i >= 0; i--) {
      const known = this.descriptions[i];
      if (known.url == url || known.source.isOver) this.descriptions.splice(i, 1);
    }
    if (this.descriptions.length == MAX_PER_CONNECTION) this.descriptions.shift();
    this.descriptions.push(new Description(source, url));
  }

  addSession(session: ReaderSession): void {
    this.sessions.push(session);
    // From now on it is the session that times out.
    setIdleTimeout(this.context, 0);
  }

  removeSession(session: ReaderSession): void {
    const index = this.sessions.indexOf(session);
    if (index >= 0) this.sessions.splice(index, 1);
    if (this.sessions.length == 0 && this.publisher == null) this.restoreIdleTimeout();
  }

  addPublisher(publisher: Publisher): void {
    this.publisher = publisher;
    setIdleTimeout(this.context, 0);
  }

  removePublisher(): void {
    this.publisher = null;
    if (this.sessions.length == 0) this.restoreIdleTimeout();
  }

  /** Answers a request. */
  answer(request: TextMessage, status: i32, reason: string, fields: string, body: string): void {
    countRequest(request.method, status);
    this.exchange = null;
    this.write(
      "RTSP/1.0 " + status.toString() + " " + reason + "\r\n" + sequenceField(request) + fields,
      body,
    );
    if (!this.isReading) wake(this);
  }

  /** Goes on with what came in meanwhile. */
  advance(): void {
    if (this.isClosed || this.exchange != null) return;
    this.read();
    if (!this.isPaused || this.isBusy) return;
    this.isPaused = false;
    resumeConnection(this.context);
  }

  /** Closes the connection, after what was written has left. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    closeConnection(this.context);
  }

  onData(size: u32, isEnd: bool): bool {
    if (this.isClosed) return false;
    const data = readData(size, false);
    this.isEnding = isEnd;
    if (data != 0) this.reader.begin(data, size);
    this.read();
    this.isPaused = this.isBusy && this.reader.waiting > 0 && !this.isClosed;
    return this.isPaused;
  }

  onStream(event: StreamEvent): void {}

  onClosed(): void {
    this.isClosed = true;
    this.reader.release();
    const exchange = this.exchange;
    this.exchange = null;
    if (exchange != null) {
      exchange.isDone = true;
      exchange.onAbandoned();
    }
    while (this.sessions.length > 0) this.sessions[0].end();
    const publisher = this.publisher;
    if (publisher != null) publisher.end();
  }

  onTick(nowMs: i64): void {
    if (this.isClosed) return;
    for (let i = this.sessions.length - 1; i >= 0; i--) {
      if (this.sessions[i].isTimedOut(nowMs)) this.timeOut(this.sessions[i]);
    }
    const publisher = this.publisher;
    if (publisher != null) publisher.onTick(nowMs);
    if (this.incompleteSince > 0 && nowMs - this.incompleteSince > MESSAGE_MS) {
      this.reject(408, "the rest of the message did not come in " + (MESSAGE_MS / 1_000).toString() + " s");
    }
  }

  /** Whether it cannot begin another request now. */
  private get isBusy(): bool {
    return this.exchange != null || this.isWaiting;
  }

  private timeOut(session: ReaderSession): void {
    count(Event.SessionsTimedOut);
    session.end();
    // Whoever is silent for so long is gone, and its connection with it.
    if (this.sessions.length == 0) this.close();
  }

  /** Reads requests, until one waits for something; packets between them go on all the same. */
  private read(): void {
    const reader = this.reader;
    this.isReading = true;
    this.isWaiting = false;
    while (!this.isClosed && (this.exchange == null || reader.isBeforeFrame)) {
      if (!reader.isBeforeFrame && !takeTurn()) {
        this.isWaiting = true;
        wake(this);
        break;
      }
      const found = reader.next();
      if (found == Found.Nothing) break;
      if (found == Found.Frame) this.onPacket();
      else if (found == Found.Malformed) this.reject(reader.status, reader.problem);
      else if (reader.message.isRequest) this.begin(reader.message);
    }
    this.isReading = false;
    if (this.isClosed) reader.release();
    else reader.finish();
    this.noteIncomplete();
    if (this.isEnding && !this.isBusy) this.close();
  }

  private begin(message: TextMessage): void {
    this.noteLife();
    const exchange = beginExchange(this, message);
    this.exchange = exchange;
    exchange.advance();
  }

  private onPacket(): void {
    const reader = this.reader;
    if (passInterleaved(this.context, reader.channel, reader.packet, reader.packetSize)) this.noteLife();
  }

  private noteLife(): void {
    const nowMs = monotonicMs();
    for (let i = 0; i < this.sessions.length; i++) this.sessions[i].seenAt = nowMs;
    const publisher = this.publisher;
    if (publisher != null) publisher.seenAt = nowMs;
  }

  private noteIncomplete(): void {
    const isIncomplete = !this.isBusy && this.reader.waiting > 0;
    if (!isIncomplete) this.incompleteSince = 0;
    else if (this.incompleteSince == 0) this.incompleteSince = monotonicMs();
    if (isIncomplete && keptBytes > MAX_KEPT_BYTES) this.reject(503, "too many messages came in part");
  }

  /** Answers what cannot be understood, and closes: nothing behind it can be. */
  private reject(status: i32, problem: string): void {
    countRequest("", status);
    const head =
      "RTSP/1.0 " + status.toString() + " " + reasonOf(status) + "\r\nContent-Type: text/plain\r\n";
    this.write(head, problem + "\r\n");
    this.close();
  }

  private write(head: string, body: string): void {
    const length = body.length > 0 ? "Content-Length: " + body.length.toString() + "\r\n" : "";
    // Who does not read its answers is not listening any more.
    if (!reply(this.context, head + length + "\r\n" + body)) this.close();
  }

  private restoreIdleTimeout(): void {
    if (!this.isClosed) setIdleTimeout(this.context, settings.idleTimeoutMs);
  }
}

function sequenceField(request: TextMessage): string {
  const sequence = request.field("cseq");
  const time = request.field("timestamp");
  const field = sequence.length > 0 ? "CSeq: " + sequence + "\r\n" : "";
  return time.length > 0 ? field + "Timestamp: " + time + "\r\n" : field;
}
