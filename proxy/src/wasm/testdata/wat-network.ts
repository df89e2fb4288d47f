// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { watFilter } from "./wat-filter.ts";

const TEXTS = "new down-closed up-closed done deleted tick";

/** `proxy_log` of one of TEXTS. */
function log(word: string): string {
  const at = TEXTS.indexOf(word);
  return `(drop (call $log (i32.const 2) (i32.const ${64 + at}) (i32.const ${word.length})))`;
}

const answerData = (type: number): string => `
  (drop (call $get (i32.const ${type}) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 4)))
  (local.set $first (i32.load8_u (i32.load (i32.const 0))))
  (if (i32.eqz (local.get $size)) (then (return (i32.const 0))))
  (if (i32.eq (local.get $first) (i32.const 33)) (then unreachable))
  (if (i32.eq (local.get $first) (i32.const 63)) (then (return (i32.const 7))))
  (if (i32.eq (local.get $first) (i32.const 120))
    (then (drop (call $close (i32.const ${type}))) (return (i32.const 0))))
  (if (i32.eq (local.get $first) (i32.const 112)) (then
    (global.set $paused (local.get $context))
    (return (i32.const 1))))
  (if (i32.eq (local.get $first) (i32.const 52))
    (then (if (i32.lt_u (local.get $size) (i32.const 4)) (then (return (i32.const 1))))))
  (drop (call $set (i32.const ${type}) (i32.const 0) (i32.const 1) (i32.const 60) (i32.const 2)))
  (i32.const 0)`;

/**
 * A Proxy-Wasm 0.2.1 network filter that knows nothing of the extension. The first byte says what it does with data: `!`
 * breaks it, `?` is an action that there is not, `x` closes, `p` is paused until the next tick, `4` waits for four
 * bytes; in the place of any other, and of that one, it puts `<>`. It logs what it hears of.
 */
export function networkFilter(): Uint8Array {
  return watFilter({
    imports: `
      (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
      (import "env" "proxy_close_stream" (func $close (param i32) (result i32)))
      (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
      (import "env" "proxy_set_effective_context" (func $enter (param i32) (result i32)))
      (import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))
      (import "env" "proxy_get_buffer_bytes" (func $get (param i32 i32 i32 i32 i32) (result i32)))
      (import "env" "proxy_set_buffer_bytes" (func $set (param i32 i32 i32 i32 i32) (result i32)))`,
    required: `(memory (export "memory") 32 64) (func (export "proxy_abi_version_0_2_1"))
      (data (i32.const 60) "<>") (data (i32.const 64) "${TEXTS}")`,
    onDatagrams: null,
    onConfigure: "(drop (call $period (i32.const 20))) (i32.const 1)",
    more: `
      (global $paused (mut i32) (i32.const 0))
      (func (export "proxy_on_new_connection") (param i32) (result i32) ${log("new")} (i32.const 0))
      (func (export "proxy_on_downstream_data") (param $context i32) (param $size i32) (param i32) (result i32)
        (local $first i32) ${answerData(2)})
      (func (export "proxy_on_upstream_data") (param $context i32) (param $size i32) (param i32) (result i32)
        (local $first i32) ${answerData(3)})
      (func (export "proxy_on_downstream_connection_close") (param i32 i32) ${log("down-closed")})
      (func (export "proxy_on_upstream_connection_close") (param i32 i32) ${log("up-closed")})
      (func (export "proxy_on_done") (param i32) (result i32) ${log("done")} (i32.const 1))
      (func (export "proxy_on_delete") (param i32) ${log("deleted")})
      (func (export "proxy_on_tick") (param i32)
        (if (i32.eqz (global.get $paused)) (then (return)))
        (drop (call $enter (global.get $paused)))
        (drop (call $continue (i32.const 2)))
        (drop (call $continue (i32.const 3)))
        (global.set $paused (i32.const 0)))`,
  });
}
