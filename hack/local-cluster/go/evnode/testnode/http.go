package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// serveKV opens the key-value endpoint and answers its address. It is open from
// the start, also while the node waits for a leader; a transaction that a follower
// takes waits in its mempool until that node leads or a block brings the same one.
func serveKV(ctx context.Context, e *executor, endpoint string) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", endpoint)
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: kvHandler(e), ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), nil
}

func kvHandler(e *executor) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tx", func(w http.ResponseWriter, r *http.Request) { postTx(e, w, r) })
	mux.HandleFunc("GET /kv", func(w http.ResponseWriter, r *http.Request) { getValue(e, w, r) })
	mux.HandleFunc("GET /store", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(e.Values())
	})
	return mux
}

func postTx(e *executor, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTxBytes))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch err := e.Submit(string(body)); {
	case err == nil:
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "accepted\n")
	case errors.Is(err, errMempoolFull):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func getValue(e *executor, w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("key")
	if key == "" {
		http.Error(w, "query parameter key is missing", http.StatusBadRequest)
		return
	}
	value, found := e.Value(key)
	if !found {
		http.Error(w, "key not found", http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, value)
}
