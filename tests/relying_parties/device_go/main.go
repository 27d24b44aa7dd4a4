// golang.org/x/oauth2 as a device: it says where its user has to go, and polls once it is told that they were there.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"os"
	"strings"

	"golang.org/x/oauth2"
)

func main() {
	lines := bufio.NewReader(os.Stdin)
	line, err := lines.ReadString('\n')
	must(err)
	var job struct {
		Issuer   string `json:"issuer"`
		ClientID string `json:"client_id"`
		Scope    string `json:"scope"`
	}
	must(json.Unmarshal([]byte(line), &job))
	config := oauth2.Config{
		ClientID: job.ClientID,
		Endpoint: oauth2.Endpoint{
			TokenURL:      job.Issuer + "/token",
			DeviceAuthURL: job.Issuer + "/device_authorization",
			AuthStyle:     oauth2.AuthStyleInParams,
		},
		Scopes: strings.Fields(job.Scope),
	}
	codes, err := config.DeviceAuth(context.Background())
	must(err)
	say(codes)
	_, err = lines.ReadString('\n')
	must(err)
	token, err := config.DeviceAccessToken(context.Background(), codes)
	must(err)
	say(map[string]any{"token_type": token.TokenType, "scope": token.Extra("scope")})
}

func say(message any) {
	must(json.NewEncoder(os.Stdout).Encode(message))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
