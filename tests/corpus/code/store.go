// Package store keeps values by name.
package store

import "fmt"

const Limit = 10

const (
	Red = iota
	Green
)

var ErrMissing = fmt.Errorf("missing")

// Store keeps values by name, in memory,
// until it is closed.
type Store struct {
	items map[string]int
}

type Reader interface {
	Read(p []byte) (int, error)
}

type (
	ID   int
	Name = string
)

// Load returns a value.
func (s *Store) Load(name string) int {
	return s.items[name]
}

func (l List[T]) Len() int { return 0 }

func New() *Store {
	return &Store{}
}
