// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// A server made with go-control-plane that does what the bench's own server does. It is told so by lines on its standard
// input: `serve CLUSTERS ENDPOINTS one|all`; `change N`, which is answered when N clients have acknowledged it;
// `collect`, which gives memory back to the system. Its arguments are a port and, for TLS, a certificate and a key.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Every node is of the one group.
type oneGroup struct{}

func (oneGroup) ID(*core.Node) string { return "default" }

// Clusters with so many endpoints each, of which the first cluster's change: one of them or all.
type mesh struct {
	clusters    []types.Resource
	assignments []types.Resource
	endpoints   int
	changesAll  bool
	changes     int
}

func newMesh(clusters, endpoints int, changesAll bool) *mesh {
	m := &mesh{endpoints: endpoints, changesAll: changesAll}
	for i := range clusters {
		name := fmt.Sprintf("cluster-%d", i)
		m.clusters = append(m.clusters, edsCluster(name))
		m.assignments = append(m.assignments, m.assignment(name))
	}
	return m
}

// What does not change keeps its version, and is not made anew.
func (m *mesh) snapshot() *cache.Snapshot {
	snapshot := &cache.Snapshot{}
	snapshot.Resources[types.Cluster] = cache.NewResources("0", m.clusters)
	snapshot.Resources[types.Endpoint] = cache.NewResources(strconv.Itoa(m.changes), m.assignments)
	return snapshot
}

func (m *mesh) change() {
	m.changes++
	m.assignments[0] = m.assignment("cluster-0")
}

func edsCluster(name string) *cluster.Cluster {
	source := &core.ConfigSource{
		ResourceApiVersion:    core.ApiVersion_V3,
		ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
	}
	return &cluster.Cluster{
		Name:                 name,
		ConnectTimeout:       durationpb.New(time.Second),
		ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_EDS},
		EdsClusterConfig:     &cluster.Cluster_EdsClusterConfig{EdsConfig: source},
	}
}

func (m *mesh) assignment(name string) *endpoint.ClusterLoadAssignment {
	endpoints := make([]*endpoint.LbEndpoint, m.endpoints)
	for i := range endpoints {
		port := uint32(10000)
		if i == 0 || m.changesAll {
			port += uint32(m.changes)
		}
		address := &core.SocketAddress{
			Address:       fmt.Sprintf("10.0.%d.%d", i>>8, i&255),
			PortSpecifier: &core.SocketAddress_PortValue{PortValue: port},
		}
		endpoints[i] = &endpoint.LbEndpoint{HostIdentifier: &endpoint.LbEndpoint_Endpoint{Endpoint: &endpoint.Endpoint{
			Address: &core.Address{Address: &core.Address_SocketAddress{SocketAddress: address}},
		}}}
	}
	return &endpoint.ClusterLoadAssignment{
		ClusterName: name,
		Endpoints:   []*endpoint.LocalityLbEndpoints{{LbEndpoints: endpoints}},
	}
}

// Counts what clients accept of the endpoints, and says when enough have.
type acknowledgements struct {
	left atomic.Int64
	done chan struct{}
}

func (a *acknowledgements) count(typeURL, nonce string) {
	if typeURL == resource.EndpointType && nonce != "" && a.left.Add(-1) == 0 {
		a.done <- struct{}{}
	}
}

func (a *acknowledgements) callbacks() server.Callbacks {
	return server.CallbackFuncs{
		StreamRequestFunc: func(_ int64, request *discovery.DiscoveryRequest) error {
			a.count(request.GetTypeUrl(), request.GetResponseNonce())
			return nil
		},
		StreamDeltaRequestFunc: func(_ int64, request *discovery.DeltaDiscoveryRequest) error {
			a.count(request.GetTypeUrl(), request.GetResponseNonce())
			return nil
		},
	}
}

func listen(snapshots cache.Cache, taken *acknowledgements, args []string) int {
	options := []grpc.ServerOption{}
	if len(args) == 3 {
		pair, err := tls.LoadX509KeyPair(args[1], args[2])
		exitOn(err)
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	}
	service := grpc.NewServer(options...)
	handlers := server.NewServer(context.Background(), snapshots, taken.callbacks())
	discovery.RegisterAggregatedDiscoveryServiceServer(service, handlers)
	listener, err := net.Listen("tcp", "127.0.0.1:"+args[0])
	exitOn(err)
	go func() { exitOn(service.Serve(listener)) }()
	return listener.Addr().(*net.TCPAddr).Port
}

func main() {
	snapshots := cache.NewSnapshotCache(true, oneGroup{}, nil)
	taken := &acknowledgements{done: make(chan struct{}, 1)}
	fmt.Printf("{\"port\":%d}\n", listen(snapshots, taken, os.Args[1:]))
	served := newMesh(0, 0, false)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch words[0] {
		case "serve":
			served = newMesh(number(words[1]), number(words[2]), words[3] == "all")
			exitOn(snapshots.SetSnapshot(context.Background(), "default", served.snapshot()))
		case "change":
			taken.left.Store(int64(number(words[1])))
			served.change()
			exitOn(snapshots.SetSnapshot(context.Background(), "default", served.snapshot()))
			<-taken.done
		case "collect":
			debug.FreeOSMemory()
		}
		fmt.Println("{}")
	}
}

func number(word string) int {
	value, err := strconv.Atoi(word)
	exitOn(err)
	return value
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
