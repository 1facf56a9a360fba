#!/bin/sh
# Lays the seeds of all targets out under corpus/ from the policies of the repository.
set -eu
cd "$(dirname "$0")"
mkdir -p corpus/parse corpus/format corpus/decide corpus/request_json
for file in ../policies/*.gate ../tests/syntax/fmt/*.gate ../tests/syntax/errors/*.gate; do
    cp "$file" corpus/parse/
    cp "$file" corpus/format/
done
cp seeds/*.json corpus/request_json/
for policy in ../policies/*.gate; do
    for request in seeds/*.json; do
        { cat "$policy"; printf '\000'; cat "$request"; } > "corpus/decide/$(basename "$policy")-$(basename "$request")"
    done
done
