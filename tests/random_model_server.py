"""A real OpenAI-compatible server around a real transformer whose weights are random; made on the spot.

FastAPI and uvicorn serve what a GPT-2 of two small layers samples, with a
tokenizer trained on the bundled documents: fluent in characters, empty of sense.
"""

import json
import threading
import time
from contextlib import contextmanager

import torch
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

NEW_TOKENS = 120


def random_model(texts):
    """A tokenizer trained on texts, and a model that has learned nothing."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=3000,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")
    torch.manual_seed(1)
    config = GPT2Config(
        vocab_size=len(fast), n_positions=4096, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    return fast, GPT2LMHeadModel(config).eval()


def _app(tokenizer, model):
    app = FastAPI()

    @app.post("/v1/chat/completions")
    def complete(body: dict):
        prompt = "\n".join(message["content"] for message in body["messages"])
        ids = tokenizer(prompt, return_tensors="pt", truncation=True, max_length=3900).input_ids
        with torch.no_grad():
            out = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=True,
                max_new_tokens=NEW_TOKENS,
                pad_token_id=0,
            )
        tokens = out[0, ids.shape[1] :]
        text = tokenizer.decode(tokens, skip_special_tokens=True)
        app.state.said.append(text)
        return StreamingResponse(_events(text), media_type="text/event-stream")

    app.state.said = []
    return app


def _events(text):
    base = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "random"}
    for start in range(0, len(text), 8):
        delta = {"index": 0, "delta": {"role": "assistant", "content": text[start : start + 8]}}
        yield f"data: {json.dumps({**base, 'choices': [{**delta, 'finish_reason': None}]})}\n\n"
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    yield f"data: {json.dumps({**base, 'choices': [last]})}\n\ndata: [DONE]\n\n"


@contextmanager
def random_model_server(texts):
    """Serve a random model; yields what it has said so far and its address."""
    app = _app(*random_model(texts))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(200):
        if server.started:
            break
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield app.state.said, f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
