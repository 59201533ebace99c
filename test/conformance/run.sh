#!/usr/bin/env bash
# Runs the conformance suites with the Node that the project brings along.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH="$PWD/node_modules/.bin:$PATH" exec node test/conformance/run.ts
