// Verifies captured deliveries with the Go library of Standard Webhooks: reads a JSON list of
// {name, secret, headers, body, isValid} from the file that is named, and ends with 1 where the
// library thinks otherwise of any of them.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type delivery struct {
	Name    string            `json:"name"`
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	IsValid bool              `json:"isValid"`
}

func isAccepted(each delivery) bool {
	webhook, err := standardwebhooks.NewWebhook(each.Secret)
	if err != nil {
		return false
	}
	headers := http.Header{}
	for name, value := range each.Headers {
		headers.Set(name, value)
	}
	return webhook.Verify([]byte(each.Body), headers) == nil
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var deliveries []delivery
	if err := json.Unmarshal(text, &deliveries); err != nil {
		panic(err)
	}
	wrong := 0
	for _, each := range deliveries {
		if isAccepted(each) != each.IsValid {
			fmt.Println("wrong:", each.Name)
			wrong++
		}
	}
	fmt.Printf("%d of %d as expected\n", len(deliveries)-wrong, len(deliveries))
	if wrong > 0 || len(deliveries) == 0 {
		os.Exit(1)
	}
}
