// Verifies the vectors of a file with Go's own Ed25519 and HMAC: of each that is about nothing but
// signatures, and ends with 1 where it thinks otherwise of any of them.
package main

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type vector struct {
	Name     string            `json:"name"`
	Secrets  []string          `json:"secrets"`
	Body     string            `json:"body"`
	Headers  map[string]string `json:"headers"`
	Expected struct {
		Valid  bool   `json:"valid"`
		Reason string `json:"reason"`
	} `json:"expected"`
}

func isSigned(secret string, content []byte, entry string) bool {
	version, text, _ := strings.Cut(entry, ",")
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	kind, encoded, _ := strings.Cut(secret, "_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		panic(err)
	}
	if kind == "whpk" {
		return version == "v1a" && ed25519.Verify(ed25519.PublicKey(key), content, signature)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(content)
	return version == "v1" && hmac.Equal(mac.Sum(nil), signature)
}

func isAccepted(each vector) bool {
	header := map[string]string{}
	for name, value := range each.Headers {
		header[strings.ToLower(name)] = value
	}
	content := []byte(header["webhook-id"] + "." + header["webhook-timestamp"] + "." + each.Body)
	for _, entry := range strings.Split(header["webhook-signature"], " ") {
		for _, secret := range each.Secrets {
			if isSigned(secret, content, entry) {
				return true
			}
		}
	}
	return false
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var file struct {
		Vectors []vector `json:"vectors"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		panic(err)
	}
	tried, wrong := 0, 0
	for _, each := range file.Vectors {
		if !each.Expected.Valid && each.Expected.Reason != "no_match" {
			continue
		}
		tried++
		if isAccepted(each) != each.Expected.Valid {
			fmt.Println("wrong:", each.Name)
			wrong++
		}
	}
	fmt.Printf("%d of %d as expected\n", tried-wrong, tried)
	if wrong > 0 || tried < 20 {
		os.Exit(1)
	}
}
