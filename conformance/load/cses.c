// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
// cses IN OUT SECONDS [g]: the C reference for a UDP session proxy: like cref, but every client (source port) gets an upstream socket of its own,
// as Envoy's udp_proxy does, so that sessions stay apart. Runs of datagrams of one client are sent with one sendmmsg. One direction only.
// Environment: IN and OUT, other addresses than 127.0.0.1.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
enum { BATCH = 64, MAX = 65536, PORTS = 65536 };
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static in_addr_t address(const char *name) { return getenv(name) ? inet_addr(getenv(name)) : htonl(INADDR_LOOPBACK); }
static unsigned char buf[BATCH][MAX], control[BATCH][64];
static int upstream[PORTS];
int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "cses IN OUT SECONDS [g]\n"), 2;
  int gro = argc > 4, in = socket(AF_INET, SOCK_DGRAM, 0), size = 64 << 20, one = 1;
  setsockopt(in, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (gro) setsockopt(in, 17, 104, &one, sizeof one);
  struct timeval tv = {0, 200000};
  setsockopt(in, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = address("IN")}, to = at, from[BATCH];
  if (bind(in, (void *)&at, sizeof at)) return perror("bind"), 1;
  to.sin_port = htons(atoi(argv[2])); to.sin_addr.s_addr = address("OUT");
  struct mmsghdr r[BATCH], s[BATCH];
  struct iovec ri[BATCH], si[BATCH];
  memset(r, 0, sizeof r); memset(s, 0, sizeof s);
  for (double t0 = now(); now() - t0 < atof(argv[3]);) {
    for (int i = 0; i < BATCH; i++) {
      ri[i] = (struct iovec){buf[i], gro ? MAX : 2048};
      r[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &ri[i], .msg_iovlen = 1};
      if (gro) { r[i].msg_hdr.msg_control = control[i]; r[i].msg_hdr.msg_controllen = sizeof control[i]; }
    }
    int n = recvmmsg(in, r, BATCH, MSG_WAITFORONE, 0);
    if (n <= 0) continue;
    for (int i = 0; i < n; i++) {
      int segment = 0;
      for (struct cmsghdr *c = CMSG_FIRSTHDR(&r[i].msg_hdr); c; c = CMSG_NXTHDR(&r[i].msg_hdr, c))
        if (c->cmsg_level == 17 && c->cmsg_type == 104) segment = *(int *)CMSG_DATA(c);
      si[i] = (struct iovec){buf[i], r[i].msg_len};
      s[i].msg_hdr = (struct msghdr){.msg_iov = &si[i], .msg_iovlen = 1};
      if (segment && segment < (int)r[i].msg_len) {
        struct cmsghdr *c = (void *)control[i];
        c->cmsg_level = 17; c->cmsg_type = 103; c->cmsg_len = CMSG_LEN(2); *(unsigned short *)CMSG_DATA(c) = segment;
        s[i].msg_hdr.msg_control = control[i]; s[i].msg_hdr.msg_controllen = CMSG_SPACE(2);
      }
    }
    for (int i = 0, run; i < n; i += run) {
      unsigned short port = from[i].sin_port;
      for (run = 1; i + run < n && from[i + run].sin_port == port; run++) {}
      if (!upstream[port]) { upstream[port] = socket(AF_INET, SOCK_DGRAM, 0); connect(upstream[port], (void *)&to, sizeof to); }
      for (int done = 0; done < run;) { int k = sendmmsg(upstream[port], s + i + done, run - done, 0); if (k <= 0) break; done += k; }
    }
  }
}
