"""llama.cpp's HTTP server over one model file, on loopback: llama_server.py PORT FILE ALIAS"""
import signal
import sys

import xllamacpp

port, model, alias = int(sys.argv[1]), sys.argv[2], sys.argv[3]
settings = xllamacpp.CommonParams()
settings.model.path = model
settings.model_alias = {alias}
settings.hostnames = ["127.0.0.1"]
settings.port = port
settings.n_ctx = 8192
settings.n_parallel = 4
settings.n_gpu_layers = 0
settings.cpuparams.n_threads = 1
settings.n_threads_http = 4
settings.ui = False
settings.warmup = False
settings.endpoint_slots = True  # shows the prompts: the witness of what arrived

server = xllamacpp.Server(settings)
print("listening on", server.listening_address, flush=True)
signal.pause()
