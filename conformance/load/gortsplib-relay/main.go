// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// A relay made with gortsplib, the RTSP library of MediaMTX: gortsplib-relay PORT rtsp://SOURCE
// Plays the source by UDP once and serves it under the path "stream" to any number of readers, by UDP or TCP.
package main

import (
	"log"
	"os"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtp"
)

type relay struct {
	stream *gortsplib.ServerStream
}

func (r *relay) OnDescribe(_ *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, r.stream, nil
}

func (r *relay) OnSetup(_ *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, r.stream, nil
}

func (r *relay) OnPlay(_ *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func main() {
	handler := &relay{}
	server := &gortsplib.Server{
		Handler:        handler,
		RTSPAddress:    "127.0.0.1:" + os.Args[1],
		UDPRTPAddress:  "127.0.0.1:8000",
		UDPRTCPAddress: "127.0.0.1:8001",
		WriteQueueSize: 4096,
	}
	check(server.Start())
	source, err := base.ParseURL(os.Args[2])
	check(err)
	transport := gortsplib.TransportUDP
	client := &gortsplib.Client{Transport: &transport}
	check(client.Start(source.Scheme, source.Host))
	session, _, err := client.Describe(source)
	check(err)
	handler.stream = gortsplib.NewServerStream(server, session)
	check(client.SetupAll(session.BaseURL, session.Medias))
	client.OnPacketRTPAny(func(media *description.Media, _ format.Format, packet *rtp.Packet) {
		if err := handler.stream.WritePacketRTP(media, packet); err != nil {
			log.Print(err)
		}
	})
	_, err = client.Play(nil)
	check(err)
	log.Print("ready")
	check(client.Wait())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
