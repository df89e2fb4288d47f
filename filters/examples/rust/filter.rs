// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Adds a number to the SSRC of RTP and drops what is no RTP.
use msm_filter::{fields, name_reason, register, Batch, Filter, Metric, PluginInfo};

const NOT_RTP: u8 = 1;

// RFC 3550 section 5.1: version 2, a header of 12 bytes, the SSRC from byte 8 on.
const HEADER_BYTES: usize = 12;
const SSRC: std::ops::Range<usize> = 8..12;

struct ShiftSsrc {
    offset: u32,
    rewritten: Option<Metric>,
}

impl Filter for ShiftSsrc {
    fn configure(&mut self, configuration: &[u8]) -> Result<(), String> {
        name_reason(NOT_RTP, "not_rtp");
        self.rewritten = Some(Metric::counter("rewritten"));
        for (key, value) in fields(configuration)? {
            match key.as_str() {
                "offset" => self.offset = value.parse().map_err(|_| "offset must be a whole number")?,
                _ => return Err(format!("unknown field {}", key)),
            }
        }
        Ok(())
    }

    fn describe(&self, info: &mut PluginInfo) {
        info.window = HEADER_BYTES as u32;
    }

    fn on_datagrams(&mut self, batch: &mut Batch) {
        let mut count = 0;
        for datagram in batch.datagrams() {
            let payload = datagram.payload();
            if payload.len() < HEADER_BYTES || payload[0] >> 6 != 2 {
                datagram.drop(NOT_RTP);
                continue;
            }
            let field = &mut datagram.payload_mut()[SSRC];
            let ssrc = u32::from_be_bytes([field[0], field[1], field[2], field[3]]);
            field.copy_from_slice(&ssrc.wrapping_add(self.offset).to_be_bytes());
            count += 1;
        }
        if let Some(rewritten) = self.rewritten {
            rewritten.add(count);
        }
    }
}

register!(ShiftSsrc, ShiftSsrc { offset: 1, rewritten: None });
