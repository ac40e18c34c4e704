"""Writes a llama model of some hundred thousand random weights, always the same: tiny_model.py FILE

It talks nonsense, fast, and as long as one likes: all that an event stream needs.
"""
import sys

import gguf
import numpy

WIDTH, HEADS, BLOCKS, INNER, CONTEXT = 64, 4, 2, 128, 8192
SPECIAL = [b"<unk>", b"<s>", b"</s>"]
MARK = "\u2581"  # how the tokenizer writes a space
PIECES = [MARK + word for word in "a the data label model train is of hello world and to".split()]
PIECES += [*"etaoinshrdlu", MARK, "er", "in", "on", "ing"]

tokens = SPECIAL + [f"<0x{byte:02X}>".encode() for byte in range(256)] + [piece.encode() for piece in PIECES]
kind = gguf.TokenType
kinds = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL] + [kind.BYTE] * 256 + [kind.NORMAL] * len(PIECES)
scores = [0.0] * (len(SPECIAL) + 256) + [-float(place) for place in range(len(PIECES))]

out = gguf.GGUFWriter(sys.argv[1], "llama")
out.add_name("tiny")
out.add_context_length(CONTEXT)
out.add_embedding_length(WIDTH)
out.add_block_count(BLOCKS)
out.add_feed_forward_length(INNER)
out.add_head_count(HEADS)
out.add_head_count_kv(HEADS)
out.add_layer_norm_rms_eps(1e-5)
out.add_rope_dimension_count(WIDTH // HEADS)
out.add_vocab_size(len(tokens))
out.add_file_type(0)
out.add_tokenizer_model("llama")
out.add_tokenizer_pre("default")
out.add_token_list(tokens)
out.add_token_scores(scores)
out.add_token_types(kinds)
out.add_bos_token_id(1)
out.add_eos_token_id(2)
out.add_unk_token_id(0)
out.add_chat_template("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:")

dice = numpy.random.default_rng(7)


def weights(*shape):
    return (dice.standard_normal(shape) * 0.2).astype(numpy.float32)


head = weights(len(tokens), WIDTH)
head[: len(SPECIAL) + 256] *= 0.01  # words rather than bytes
out.add_tensor("token_embd.weight", weights(len(tokens), WIDTH))
out.add_tensor("output.weight", head)
out.add_tensor("output_norm.weight", numpy.ones(WIDTH, numpy.float32))
SHAPES = {"attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH), "attn_output": (WIDTH, WIDTH),
          "ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
for block in range(BLOCKS):
    for name, shape in SHAPES.items():
        out.add_tensor(f"blk.{block}.{name}.weight", weights(*shape))
    for name in ("attn_norm", "ffn_norm"):
        out.add_tensor(f"blk.{block}.{name}.weight", numpy.ones(WIDTH, numpy.float32))

out.write_header_to_file()
out.write_kv_data_to_file()
out.write_tensors_to_file()
out.close()
