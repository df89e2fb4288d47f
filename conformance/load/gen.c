// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
// gen PORTS PPS SECONDS FLOWS BYTES [g]: sends RTP-shaped datagrams to 127.0.0.1, flow after flow in bursts of BURST (environment; 1,
// or 32 with g; at most 32). Each flow has a source address or port of its own, its own SSRC (its index) and sequence numbers. With g,
// a burst is one UDP_SEGMENT send. PORTS is one port or several, with commas: flow after flow takes the next. Prints one line.
// Environment: TO another address; FROM the first source port, so that a second run has the same flows; SOURCES so many source addresses,
// 127.3.0.1 and up, for each socket, so that few sockets are many flows; STAMP the time of the sending, nanoseconds, in bytes 12 to 19.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
enum { MOST = 32, MAX = 2048, PORTS = 64 };
static uint64_t nanoseconds(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static double now(void) { return nanoseconds() * 1e-9; }
static int number(const char *name, int otherwise) { return getenv(name) ? atoi(getenv(name)) : otherwise; }
static void write32(unsigned char *p, unsigned value) { value = htonl(value); memcpy(p, &value, 4); }

static int open_socket(int index, int from, struct sockaddr_in *to) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(from + index)};
  if (fd < 0 || (from && bind(fd, (void *)&local, sizeof local)) || connect(fd, (void *)to, sizeof *to)) { perror("gen: socket"); exit(1); }
  return fd;
}

int main(int argc, char **argv) {
  if (argc < 6) return fprintf(stderr, "gen PORTS PPS SECONDS FLOWS BYTES [g]\n"), 2;
  int flows = atoi(argv[4]), len = atoi(argv[5]), gso = argc > 6, burst = number("BURST", gso ? MOST : 1);
  int sources = number("SOURCES", 1), from = number("FROM", 0), stamp = getenv("STAMP") != 0, ports = 0;
  if (burst < 1 || burst > MOST || len > MAX) return fprintf(stderr, "BURST: 1 to %d, BYTES: at most %d\n", MOST, MAX), 2;
  double pps = atof(argv[2]), seconds = atof(argv[3]);
  struct sockaddr_in to[PORTS];
  for (char *port = strtok(argv[1], ","); port && ports < PORTS; port = strtok(0, ","))
    to[ports++] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = inet_addr(getenv("TO") ? getenv("TO") : "127.0.0.1")};
  int sockets = (flows + sources - 1) / sources, *fd = calloc(sockets, sizeof *fd);
  struct rlimit files = {sockets + 64, sockets + 64};
  setrlimit(RLIMIT_NOFILE, &files);
  unsigned short *seq = calloc(flows, sizeof *seq);
  for (int i = 0; i < sockets; i++) fd[i] = open_socket(i, from, &to[i % ports]);
  static unsigned char buf[MOST][MAX];
  struct iovec iov[MOST];
  struct mmsghdr m[MOST];
  memset(m, 0, sizeof m);
  union { char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))]; struct cmsghdr align; } source = {0};
  struct cmsghdr *s = &source.align;
  s->cmsg_level = IPPROTO_IP; s->cmsg_type = IP_PKTINFO; s->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
  for (int i = 0; i < burst; i++) {
    iov[i] = (struct iovec){buf[i], len}; m[i].msg_hdr.msg_iov = &iov[i]; m[i].msg_hdr.msg_iovlen = 1;
    if (sources > 1) { m[i].msg_hdr.msg_control = &source; m[i].msg_hdr.msg_controllen = sizeof source; }
  }
  union { char bytes[CMSG_SPACE(2)]; struct cmsghdr align; } control = {0};
  struct msghdr one = {.msg_iov = iov, .msg_iovlen = burst, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *c = &control.align;
  c->cmsg_level = 17; c->cmsg_type = 103; c->cmsg_len = CMSG_LEN(2); *(unsigned short *)CMSG_DATA(c) = len; // UDP_SEGMENT
  long sent = 0, failed = 0;
  double t0 = now();
  for (int f = 0; now() - t0 < seconds; f = (f + 1) % flows) {
    while (sent >= (now() - t0) * pps && now() - t0 < seconds) usleep(50);
    unsigned ts = (unsigned)((now() - t0) * 90000);
    uint64_t at = nanoseconds();
    for (int i = 0; i < burst; i++) {
      unsigned char *p = buf[i];
      p[0] = 0x80; p[1] = 96; p[2] = seq[f] >> 8; p[3] = seq[f]; seq[f]++;
      write32(p + 4, ts); write32(p + 8, f);
      if (stamp) memcpy(p + 12, &at, 8);
    }
    if (sources > 1) ((struct in_pktinfo *)CMSG_DATA(s))->ipi_spec_dst.s_addr = htonl(0x7f030001 + f % sources);
    int at_fd = fd[f / sources], r = gso ? (sendmsg(at_fd, &one, 0) > 0 ? burst : -1) : sendmmsg(at_fd, m, burst, 0);
    if (r > 0) sent += r; else failed++;
  }
  printf("gen: sent %ld datagrams, %.0f/s, %ld failed bursts\n", sent, sent / (now() - t0), failed);
}
