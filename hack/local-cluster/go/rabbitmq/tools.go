//go:build tools

package tools

import _ "github.com/rabbitmq/cluster-operator/v2/cmd"
