// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
// sink PORT SECONDS [MODE]: receives on PORT at every local address and checks RTP sequence numbers per (destination address, SSRC), so
// that the copies of a fan-out are checked one by one. It also counts senders (address and port) that carried more than one SSRC to one
// destination: 0 where a relay keeps its sessions apart. Prints one line. MODE: n without UDP_GRO, as players are; l without it, and says
// how old datagrams are that gen stamped; c lets the kernel drop all that comes and says how many, to cost nothing itself.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
enum { BATCH = 64, MAX = 65536, SLOTS = 1 << 20, AGES = 1 << 20, AGE_NS = 100 };
struct slot { uint64_t key; unsigned value; char used; };
static struct slot streams_seen[SLOTS], senders_seen[SLOTS];
static unsigned char buf[BATCH][MAX], control[BATCH][128];
static unsigned age[AGES];
static uint64_t nanoseconds(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static double now(void) { return nanoseconds() * 1e-9; }
static long received, missing, late, streams, crossed;

static struct slot *find(struct slot *table, uint64_t key) {
  unsigned h = key * 0x9e3779b97f4a7c15ull >> 44;
  while (table[h].used && table[h].key != key) h = (h + 1) & (SLOTS - 1);
  table[h].key = key;
  return &table[h];
}

static void check(unsigned char *p, unsigned to, unsigned short port) {
  unsigned short seq = p[2] << 8 | p[3];
  unsigned ssrc = (unsigned)p[8] << 24 | p[9] << 16 | p[10] << 8 | p[11];
  struct slot *sender = find(senders_seen, (uint64_t)to << 16 | port), *stream = find(streams_seen, (uint64_t)to << 32 | ssrc);
  if (!sender->used) { sender->used = 1; sender->value = ssrc; }
  else if (sender->value != ssrc && sender->used == 1) { sender->used = 2; crossed++; }
  if (!stream->used) { stream->used = 1; stream->value = seq; streams++; }
  short ahead = seq - stream->value;
  if (ahead > 0) missing += ahead; else if (ahead < 0) late++;
  if (ahead >= 0) stream->value = (unsigned short)(seq + 1);
  received++;
}

static double percentile(double part) {
  long seen = 0, wanted = received * part;
  for (int i = 0; i < AGES; i++) if ((seen += age[i]) > wanted) return i * AGE_NS * 1e-3;
  return AGES * AGE_NS * 1e-3;
}

/** What the kernel dropped at a socket whose filter takes nothing: all that came. */
static int count_only(int fd, double seconds) {
  unsigned info[16] = {0};
  socklen_t size = sizeof info;
  usleep(seconds * 1e6);
  if (getsockopt(fd, SOL_SOCKET, 55, info, &size)) return perror("SO_MEMINFO"), 1;
  printf("sink: received %u datagrams\n", info[8]);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "sink PORT SECONDS [n|l|c]\n"), 2;
  char mode = argc > 3 ? *argv[3] : 0;
  int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 64 << 20, one = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (!mode) setsockopt(fd, 17, 104, &one, sizeof one); // UDP_GRO
  setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
  struct timeval tv = {0, 200000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  struct sock_filter nothing = {BPF_RET | BPF_K, 0, 0, 0};
  struct sock_fprog drop = {1, &nothing};
  if (mode == 'c') setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &drop, sizeof drop);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_ANY)}, from[BATCH];
  if (bind(fd, (void *)&at, sizeof at)) return perror("bind"), 1;
  if (mode == 'c') return count_only(fd, atof(argv[2]));
  struct mmsghdr m[BATCH];
  struct iovec iov[BATCH];
  memset(m, 0, sizeof m);
  double t0 = now(), first = 0, last = 0;
  while (now() - t0 < atof(argv[2])) {
    for (int i = 0; i < BATCH; i++) {
      iov[i] = (struct iovec){buf[i], MAX};
      m[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &iov[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]};
    }
    int n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, 0);
    if (n <= 0) continue;
    uint64_t arrived = nanoseconds();
    last = arrived * 1e-9;
    if (!first) first = last;
    for (int i = 0; i < n; i++) {
      int length = m[i].msg_len, segment = length;
      unsigned to = 0;
      for (struct cmsghdr *c = CMSG_FIRSTHDR(&m[i].msg_hdr); c; c = CMSG_NXTHDR(&m[i].msg_hdr, c)) {
        if (c->cmsg_level == 17 && c->cmsg_type == 104) segment = *(int *)CMSG_DATA(c);
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) to = ntohl(((struct in_pktinfo *)CMSG_DATA(c))->ipi_addr.s_addr);
      }
      for (int at = 0; at < length; at += segment) check(buf[i] + at, to, ntohs(from[i].sin_port));
      if (mode != 'l') continue;
      uint64_t sent;
      memcpy(&sent, buf[i] + 12, 8);
      uint64_t slot = (arrived - sent) / AGE_NS;
      age[slot < AGES ? slot : AGES - 1]++;
    }
  }
  printf("sink: received %ld datagrams of %ld streams, %.0f/s, lost %ld, late %ld, senders with mixed streams %ld", received, streams, last > first ? received / (last - first) : 0, missing - late > 0 ? missing - late : 0, late, crossed);
  if (mode == 'l') printf(", age p50 %.1f p99 %.1f us", percentile(0.5), percentile(0.99));
  puts("");
}
