package stream_test

import (
	"fmt"
	"log"

	"github.com/counterfoil/counterfoil/internal/stream"
	"github.com/counterfoil/counterfoil/internal/token"
)

// A caller pushes what comes, asks for what is pending, and writes what is free.
func Example() {
	words, err := token.NewVocabulary([]string{"PERSON"})
	if err != nil {
		log.Fatal(err)
	}
	s, err := stream.New(stream.Options{Words: words})
	if err != nil {
		log.Fatal(err)
	}
	flush := func() {
		answers := make([]*string, len(s.Pending()))
		for i, c := range s.Pending() {
			if c.Place == stream.PlaceProse {
				name := `Ann "A" Archer`
				answers[i] = &name
			}
		}
		fmt.Print(string(s.Drain(nil, answers)))
	}
	const cut = "5JQ7BRW43B]"
	for _, text := range []string{"Dear [PER", "SON_" + cut + ",", " see https://x.example/[PERSON_" + cut} {
		if err := s.Push([]byte(content(0, text))); err != nil {
			log.Fatal(err)
		}
		flush()
	}
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}
	flush()
	// Output:
	// data: {"choices":[{"index":0,"delta":{"content":"Dear "}}]}
	//
	// data: {"choices":[{"index":0,"delta":{"content":"Ann \"A\" Archer,"}}]}
	//
	// data: {"choices":[{"index":0,"delta":{"content":" see https://x.example/[PERSON_5JQ7BRW43B]"}}]}
}
