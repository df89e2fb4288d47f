// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SignallingParts } from "./wat-signalling.ts";
import { READ } from "./wat-signalling.ts";

const on = (letter: string, body: string): string =>
  `(if (i32.eq (local.get $b) (i32.const ${letter.charCodeAt(0)})) (then ${body}))`;

/** Replies a letter and a number from 0 to 9 to the last client. */
const answer = (letter: string, number: string): string => `
  (i32.store8 (i32.const 64) (i32.const ${letter.charCodeAt(0)}))
  (i32.store8 (i32.const 65) (i32.add (i32.const 48) ${number}))
  (drop (call $reply (global.get $client) (i32.const 64) (i32.const 2)))`;

/** What follows the first byte. */
const REST = "(i32.const 65537) (i32.sub (local.get $size) (i32.const 1))";
const ROUTE = "msm.route.0.reason";

/**
 * A signalling filter that does what clients tell it: the first byte of what they send chooses a host call, the rest is
 * its argument. `e` echoes (with a letter of the filter's own before it), `c` connects a stream, `s` sends on it, `f`
 * opens a flow, `i` hands a packet to channel 0, `r` asks for a route and says why there is none, `x` traps, `l` loops,
 * `b` closes. Answers are a letter and a digit.
 */
export function switchboard(letter = "e"): SignallingParts {
  return {
    imports: `
      (import "env" "msm_stream_connect" (func $connect (param i32 i32 i32) (result i32)))
      (import "env" "msm_stream_write" (func $write (param i32 i32 i32) (result i32)))
      (import "env" "msm_open_flow" (func $flow (param i32 i32 i32) (result i32)))
      (import "env" "msm_select_route" (func $route (param i32 i32 i32) (result i32)))
      (import "env" "msm_interleaved_data" (func $packet (param i32 i32 i32 i32) (result i32)))
      (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))`,
    onData: `(local $b i32)
      (global.set $client (local.get $context))
      ${READ}
      (if (local.get $size) (then (local.set $b (i32.load8_u (i32.const 65536)))))
      ${on("e", `(i32.store8 (i32.const 65536) (i32.const ${letter.charCodeAt(0)})) (drop (call $reply (local.get $context) (i32.const 65536) (local.get $size)))`)}
      ${on("c", `${answer("C", `(call $connect ${REST} (i32.const 60))`)} (global.set $stream (i32.load (i32.const 60)))`)}
      ${on("s", `(drop (call $write (global.get $stream) ${REST}))`)}
      ${on("f", answer("O", `(call $flow ${REST} (i32.const 60))`))}
      ${on("i", answer("I", `(i32.and (call $packet (local.get $context) (i32.const 0) ${REST}) (i32.const 7))`))}
      ${on(
        "r",
        `(if (i32.eqz (call $route ${REST} (i32.const 60))) (then ${answer("R", "(i32.const 0)")}) (else
          (i32.store8 (i32.const ${200 + ROUTE.indexOf("0")}) (i32.add (i32.const 48) (i32.load (i32.const 60))))
          (drop (call $property (i32.const 200) (i32.const ${ROUTE.length}) (i32.const 60) (i32.const 68)))
          (drop (call $reply (local.get $context) (i32.load (i32.const 60)) (i32.load (i32.const 68))))))`,
      )}
      ${on("x", "unreachable")}
      ${on("l", "(loop $again (br $again))")}
      ${on("b", "(drop (call $close (i32.const 2)))")}
      (if (local.get $end) (then (drop (call $close (i32.const 2)))))
      (i32.const 0)`,
    more: `(data (i32.const 200) "${ROUTE}")
      (global $client (mut i32) (i32.const 0))
      (global $stream (mut i32) (i32.const 0))
      (func (export "proxy_on_upstream_data") (param i32 i32 i32) (result i32)
        (drop (call $read (i32.const 3) (i32.const 0) (local.get 1) (i32.const 65536)))
        (drop (call $reply (global.get $client) (i32.const 65536) (local.get 1)))
        (i32.const 0))
      (func (export "msm_on_stream") (param i32 i32) ${answer("S", "(local.get 1)")})
      (func (export "msm_on_flow") (param i32 i32 i32) ${answer("F", "(local.get 2)")})`,
  };
}
