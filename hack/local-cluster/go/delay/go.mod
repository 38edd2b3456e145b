module evnode.dev/local-cluster/delay

go 1.25.0
