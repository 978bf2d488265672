"""Run as a program with GGUF files by name, as JSON: a llama.cpp server for each, until standard input ends."""

import json
import sys

SLOTS, CONTEXT = 8, 256


def serve(files):
    """Serve every file on a free port of this machine and write the addresses; samples are drawn from all tokens, as in the process."""
    import xllamacpp

    servers = {}
    for name, path in files.items():
        params = xllamacpp.CommonParams()
        params.model.path, params.model_alias, params.port = path, {name}, 0
        params.n_parallel, params.n_ctx = SLOTS, SLOTS * CONTEXT
        params.sampling.temp, params.sampling.top_k, params.sampling.top_p, params.sampling.min_p = 1.0, 0, 1.0, 0.0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = params.n_threads_http = 1
        params.endpoint_metrics, params.warmup, params.verbosity, params.cache_ram_mib = True, False, -1, 64
        servers[name] = xllamacpp.Server(params)
    sys.stdout.write(json.dumps({name: server.listening_address for name, server in servers.items()}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
