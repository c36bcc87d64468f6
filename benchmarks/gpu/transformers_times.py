"""Times transformers on the work that `headscope bench --model` times.

    python3 transformers_times.py MODEL [--json FILE] [--device cuda|cpu] [--dtype bfloat16] [--tokens 512,2048,8192] \\
        [--batches 1,8,64]

Prints one line per measurement as soon as it is taken; FILE receives {name: milliseconds} after each. A time is the median
of 10 runs, or of 3 if one takes more than half a second, from the start until the result is on the device. T is a number of
tokens, N a number of texts.

    sdpa T                   forward pass of one text with scaled_dot_product_attention, logits of the last token
    eager, statistics T      the same with eager attention, whose maps are stored, and the statistics computed from them
    sdpa N x T               forward pass of a padded batch, logits of every text's last token
    generate N               one step of greedy generation after 128 tokens: the time of 33 new tokens without that of 1, over 32

Exit status: 0; 2 if PyTorch or transformers is missing, or PyTorch finds no such device.
"""

import argparse
import sys

TEXT_TOKENS = 128
NEW_TOKENS = 32
MAX_EAGER = 2048  # more tokens store more than 20 GB of maps


def attention_statistics(probs):
    """Per head and row: log diagonal, entropy, maximum, probability of the previous token, mean distance; column sums."""
    probs = probs.float()
    rows = torch.arange(probs.shape[-1], device=probs.device)
    diagonal = probs.diagonal(dim1=-2, dim2=-1).log()
    columns = probs.sum(dim=-2)
    entropy = torch.special.entr(probs).sum(dim=-1)
    largest = probs.amax(dim=-1)
    previous = probs.diagonal(offset=-1, dim1=-2, dim2=-1)
    distance = rows - (probs * rows).sum(dim=-1)
    return diagonal, columns, entropy, largest, previous, distance


def numbers(text):
    return [int(part) for part in text.split(",")]


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--json")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--tokens", default="512,2048,8192", type=numbers)
    parser.add_argument("--batches", default="1,8,64", type=numbers)
    return parser.parse_args()


def main(options):
    device = options.device
    report = Report(options.json)
    report.add("torch", torch.__version__)
    report.add("transformers", transformers.__version__)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        options.model, dtype=getattr(torch, options.dtype), attn_implementation="sdpa").to(device).eval()
    model.generation_config.eos_token_id = None  # every generation has the same length
    longest = model.config.max_position_embeddings
    torch.manual_seed(0)

    def texts(number, tokens):
        return torch.randint(0, model.config.vocab_size, (number, min(tokens, longest)), device=device)

    def forward(ids, **settings):
        return model(ids, use_cache=False, logits_to_keep=1, **settings).logits.argmax(dim=-1)

    def observed(ids):
        output = model(ids, use_cache=False, logits_to_keep=1, output_attentions=True)
        for probs in output.attentions:
            attention_statistics(probs)

    def generate(ids, new_tokens):
        return model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new_tokens,
                              min_new_tokens=new_tokens, do_sample=False, pad_token_id=0)

    def step_seconds(ids):
        return (median_seconds(lambda: generate(ids, NEW_TOKENS + 1), device)
                - median_seconds(lambda: generate(ids, 1), device)) / NEW_TOKENS

    with torch.inference_mode():
        for tokens in options.tokens:
            ids = texts(1, tokens)
            report.measure(f"sdpa {tokens}", lambda: median_seconds(lambda: forward(ids), device))
        for number in options.batches:
            ids = texts(number, TEXT_TOKENS)
            if number > 1:
                mask = torch.ones_like(ids)
                report.measure(f"sdpa {number} x {TEXT_TOKENS}",
                               lambda: median_seconds(lambda: forward(ids, attention_mask=mask), device))
            report.measure(f"generate {number}", lambda: step_seconds(ids))
        model.set_attn_implementation("eager")
        for tokens in options.tokens:
            if tokens <= MAX_EAGER:
                ids = texts(1, tokens)
                report.measure(f"eager, statistics {tokens}", lambda: median_seconds(lambda: observed(ids), device))


if __name__ == "__main__":
    given = read_options()
    try:
        import torch
        import transformers
        sys.dont_write_bytecode = True  # the folder may be read-only, and is packed as it is
        from peers import Report, median_seconds
    except ImportError as missing:
        print(f"not run: {missing}")
        sys.exit(2)
    if given.device == "cuda" and not torch.cuda.is_available():
        print("not run: PyTorch finds no GPU")
        sys.exit(2)
    main(given)
