// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** How bad media may get until their endpoint counts as failed; Envoy has no such thing. Plain data. */
export interface MediaPlan {
  /** Percent of the packets; 100 never. */
  readonly lossPercent: number;
  /** RFC 3550 A.8 interarrival jitter, milliseconds; infinite never. */
  readonly jitterMs: number;
}

/** What was seen of the RTP streams of an endpoint since the look before. */
export interface MediaConduct {
  /** Number of the look: what a judge has seen already is not judged twice. */
  readonly look: number;
  readonly expected: number;
  readonly lost: number;
  /** Mean of the streams, each by its packets. */
  readonly jitterMs: number;
}

/** Fewer packets prove nothing. */
const LEAST_PACKETS = 20;
/** One bad look may be a burst on the way. */
const BAD_LOOKS = 2;

/** Judges the media of one endpoint: bad looks in a row make an outlier. */
export class MediaJudge {
  #look = -1;
  #badLooks = 0;

  /** Why the endpoint is an outlier; undefined where it is none. Then it begins anew. */
  judge(media: MediaConduct | undefined, plan: MediaPlan): "loss" | "jitter" | undefined {
    if (media === undefined || media.look === this.#look) return undefined;
    this.#look = media.look;
    if (media.expected < LEAST_PACKETS) return undefined;
    const reason =
      media.lost * 100 > plan.lossPercent * media.expected
        ? "loss"
        : media.jitterMs > plan.jitterMs
          ? "jitter"
          : undefined;
    this.#badLooks = reason === undefined ? 0 : this.#badLooks + 1;
    if (this.#badLooks < BAD_LOOKS) return undefined;
    this.#badLooks = 0;
    return reason;
  }
}
