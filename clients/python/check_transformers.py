"""Checks headscope_tap.py with transformers itself: tiny random models of every family, tapped while they read and generate.

    python3 check_transformers.py [--java]          differences; --java also compares with Headscope's own model
    python3 check_transformers.py --overhead        processor time of the tap for a token; time of a token with and without it:
                                                    processor time on a CPU, wall-clock time on a GPU
    python3 check_transformers.py --same-gpu        what ./headscope live --attach shows of a model on its GPU, with and
                                                    without --same-gpu: the numbers must be equal

Needs transformers >= 5 and PyTorch. --java and --same-gpu need ./headscope --version and mvn test-compile once. --device cuda
runs the models on a GPU. Prints tables for benchmarks/results. The models are the checkpoints among Headscope's test
resources; for the overhead one in the shape of GPT-2 small, and on a GPU one of 1.3 billion parameters.
"""

import argparse
import concurrent.futures
import contextlib
import copy
import importlib.util
import io
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import transformers
from transformers import (
    AttentionInterface, AttentionMaskInterface, AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, BartConfig,
    BartForConditionalGeneration, GPT2Config, GPT2LMHeadModel, LlamaConfig)

import headscope_tap

HOME = pathlib.Path(__file__).resolve().parents[2]
# Not by its folder, whose transformers.py is a stand-in.
_file = importlib.util.spec_from_file_location("together", HOME / "clients/python/test/together.py")
together = importlib.util.module_from_spec(_file)
_file.loader.exec_module(together)
FIXTURES = HOME / "java/test/headscope/fixtures"
NEW_TOKENS = 12
PROMPT = 20
DEVICE = torch.device("cpu")  # main sets it
AVERAGED = 16  # tokens: so many are handed over together, at the cost of one of them
TOLERANCE = 1e-4  # of probabilities in fp32, whose scores reach 100 in gpt-oss


def load(folder, **changes):
    """The model of a checkpoint, with changes of its configuration."""
    config = AutoConfig.from_pretrained(folder)
    for key, value in changes.items():
        setattr(config, key, value)
    kind = AutoModelForMaskedLM if config.model_type == "bert" else AutoModelForCausalLM
    return kind.from_pretrained(folder, config=config, attn_implementation="eager").eval().to(DEVICE)


def inputs(padded, side):
    """A prompt; or a batch of it, padded on one side, and a longer one."""
    prompt = torch.arange(PROMPT, device=DEVICE).view(1, -1) * 7 % 90 + 4
    mask = torch.ones_like(prompt)
    if not padded:
        return {"input_ids": prompt, "attention_mask": mask}
    width = (5, 0) if side == "left" else (0, 5)
    pad = lambda row: torch.nn.functional.pad(row, width)
    longer = torch.arange(PROMPT + 5, device=DEVICE).view(1, -1) * 11 % 90 + 4
    return {
        "input_ids": torch.cat([pad(prompt), longer]), "attention_mask": torch.cat([pad(mask), torch.ones_like(longer)])}


@torch.no_grad()
def run(model, padded, **options):
    """Everything that the model computes: logits of the prompt, and of the tokens that it generates."""
    # BERT counts padding as positions, and generates nothing
    given = inputs(padded, "left" if model.can_generate() else "right")
    logits = model(**given).logits
    if not model.can_generate():
        return [logits]
    out = model.generate(
        **given, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0,
        output_logits=True, return_dict_in_generate=True, **options)
    return [logits, out.sequences, *out.logits]


def messages(model, padded, tokens):
    """All that a tap hands over, up to so many tokens together."""
    name, before = f"check-{os.getpid()}", headscope_tap._TOKENS_TOGETHER
    headscope_tap._TOKENS_TOGETHER = tokens
    try:
        with headscope_tap.tap(model, name, background=True, megabytes=32):
            reader = together.Reader(name)
            run(model, padded)
    finally:
        headscope_tap._TOKENS_TOGETHER = before
    return reader.messages()


def equal(a, b):
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b))


def probabilities(tensors, layer):
    """[heads, tokens, tokens] from captured queries and keys, in fp64."""
    q, k = (tensors[f"{name}.{layer}"].double().transpose(0, 1) for name in ("query", "key"))
    scores = q @ k.repeat_interleave(len(q) // len(k), 0).transpose(1, 2) * tensors["scale"][layer].double()
    cap = float(tensors["soft_cap"][layer])
    if cap:
        scores = cap * torch.tanh(scores / cap)
    distance = torch.arange(q.shape[1])[:, None] - torch.arange(q.shape[1])
    if tensors["causal"][layer]:
        scores = scores.masked_fill(distance < 0, -torch.inf)
    if tensors["window"][layer]:
        scores = scores.masked_fill(distance >= tensors["window"][layer], -torch.inf)
    sinks = tensors.get(f"sinks.{layer}")
    if sinks is None:
        return scores.softmax(-1)
    column = sinks.double()[:, None, None].expand(-1, q.shape[1], 1)
    return torch.cat([scores, column], -1).softmax(-1)[..., :-1]


@torch.no_grad()
def distance_to_eager(folder, file):
    """Largest difference between probabilities of captured queries and keys and those of eager attention on the whole text."""
    from safetensors.torch import load_file

    tensors = load_file(file)
    attentions = load(folder)(input_ids=tensors["ids"][None].to(DEVICE), output_attentions=True).attentions
    return max(
        float((probabilities(tensors, layer) - attention[0].double().cpu()).abs().max())
        for layer, attention in enumerate(attentions))


def number(x):
    return "-" if x is None else f"{x:.1e}"


def run_java(name, arguments):
    """Runs a class among Headscope's tests, and returns the finished process."""
    path = ":".join(f"{HOME}/target/{part}" for part in ("classes", "test-classes", "headscope.jar", "lib/*"))
    command = [
        os.path.join(os.environ.get("JAVA_HOME", "/usr"), "bin/java"), "--enable-native-access=ALL-UNNAMED",
        "--add-modules", "jdk.incubator.vector", "-cp", path, name]
    return subprocess.run(command + arguments, capture_output=True, text=True)


def check(java, only):
    torch.set_num_threads(1)  # the models are tiny
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    rows, pairs, failed = [], [], []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headscope-check-"))
    for fixture in sorted(path.parent for path in FIXTURES.glob("*/expected.safetensors")):
        for implementation in ("eager", "sdpa") if not only or fixture.name in only else ():
            model = load(fixture)
            try:
                model.set_attn_implementation(implementation)
            except ValueError:
                continue
            same, equal_messages, differences = True, True, []
            for padded in (False, True):
                untapped = run(model, padded)
                file = folder / f"{fixture.name}-{implementation}-{padded}.safetensors"
                with headscope_tap.tap(model, f"check-{os.getpid()}", capture=True) as tap:
                    same &= equal(untapped, run(model, padded)) and tap.feeding
                same &= equal(untapped, run(model, padded))
                equal_messages &= messages(model, padded, 1) == messages(model, padded, NEW_TOKENS)
                headscope_tap.save(file)
                # sdpa ignores soft caps and sinks, so that its model is another one than the eager one
                like_eager = implementation == "eager" or model.config.model_type not in ("gemma2", "gpt_oss")
                differences.append(distance_to_eager(fixture, file) if like_eager else None)
                if like_eager:
                    pairs.append((len(rows), fixture, file))
            rows.append([
                fixture.name, implementation, *("yes" if x else "NO" for x in (same, equal_messages)), *map(number, differences)])
            if not same or not equal_messages or any(x is not None and x > TOLERANCE for x in differences):
                failed.append(f"{fixture.name} {implementation}")
    own = {}
    if java:
        arguments = [str(path) for _, fixture, file in pairs for path in (fixture, file)]
        compared = run_java("headscope.live.ring.CompareCaptured", arguments)
        if compared.returncode:
            sys.exit(compared.stderr)
        out = compared.stdout.split()
        for (row, fixture, _), difference in zip(pairs, out, strict=True):
            own[row] = max(own.get(row, 0), float(difference))
            if float(difference) > 1e-3:
                failed.append(f"{fixture.name} against Headscope")
    print("| model | attention | logits unchanged | same messages together | to eager | padded batch | to Headscope's model |")
    print("|---|---|---|---|---|---|---|")
    for i, row in enumerate(rows):
        print("|", " | ".join([*row, number(own.get(i))]), "|")
    print()
    for name, says, what in others() if not only else ():
        report = io.StringIO()
        with contextlib.redirect_stderr(report):
            same = what()
        lines = [line for line in report.getvalue().splitlines() if line.startswith("headscope_tap: ")]
        good = same and (len(lines) == 1 and says in lines[0] if says else not lines)
        print(f"- {name}: {'unchanged' if same else 'CHANGED'}", *[f'"{line}"' for line in lines], "" if good else "FAILED")
        if not good:
            failed.append(name)
    print(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'all checks passed'}")
    return bool(failed)


def others():
    """(name, what the tap says, function that tells whether the model computes the same) of what is shown in part or not."""
    fixture = FIXTURES / "llama"
    given = inputs(False, "left")

    def tapped(model, work, **options):
        untapped = work()
        with headscope_tap.tap(model, f"check-{os.getpid()}", **options):
            return equal(untapped, work()) and equal(untapped, work())

    def static(name):
        model = load(FIXTURES / name)
        return tapped(model, lambda: run(model, False, cache_implementation="static", disable_compile=True))

    def generated(name, **changes):
        model = load(FIXTURES / name, **changes)
        return tapped(model, lambda: run(model, False))

    def compiled(implementation, fullgraph):
        model = load(fixture)
        model.set_attn_implementation(implementation)
        forward = torch.compile(model.forward, backend="eager", fullgraph=fullgraph)
        same = tapped(model, lambda: [forward(**given).logits])
        torch._dynamo.reset()
        return same

    def attentions():
        model = load(fixture)
        return tapped(model, lambda: list(model(**given, output_attentions=True).attentions))

    def encoder_decoder():
        config = BartConfig(d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2,
                            encoder_ffn_dim=16, decoder_ffn_dim=16, vocab_size=100)
        model = BartForConditionalGeneration(config).eval().to(DEVICE)
        return tapped(model, lambda: [model(**given).logits])

    def cross_attention():
        model = GPT2LMHeadModel(small_gpt2(add_cross_attention=True)).eval().to(DEVICE)
        encoded = torch.randn(1, PROMPT, 16, device=DEVICE)
        return tapped(model, lambda: [model(**given, encoder_hidden_states=encoded).logits])

    def upcast():
        model = GPT2LMHeadModel(small_gpt2(reorder_and_upcast_attn=True, attn_implementation="eager")).eval().to(DEVICE)
        return tapped(model, lambda: [model(**given).logits])

    def threads():
        model = load(fixture)

        def work():
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                return [tensor for tensors in pool.map(lambda _: run(model, False), range(4)) for tensor in tensors]
        return tapped(model, work)

    def several():
        first, second = load(fixture), load(FIXTURES / "qwen3")
        work = lambda: run(first, True) + run(second, True)
        with headscope_tap.tap(second, f"check-{os.getpid()}-2"), headscope_tap.tap(first, capture=True):
            same = tapped(first, work)
        return same and not headscope_tap._tapped

    def failing():
        model = load(fixture)
        work = lambda: run(model, False)
        untapped = work()
        with headscope_tap.tap(model, f"check-{os.getpid()}") as tap:
            tap._how = lambda *arguments: 1 / 0
            return equal(untapped, work()) and not tap.feeding

    def training():
        model = load(FIXTURES / "gpt2")
        model.gradient_checkpointing_enable()
        model.train()

        def work():
            with torch.enable_grad():
                model.zero_grad()
                torch.manual_seed(1)
                model(**given, labels=given["input_ids"]).loss.backward()
                return [parameter.grad.clone() for parameter in model.parameters()]
        return tapped(model, work)

    return [
        ("static cache", "static cache", lambda: static("llama")),
        ("static cache, windows", "static cache", lambda: static("gemma3")),
        *[(f"{name}, {key}: {value}", says, lambda name=name, key=key, value=value: generated(name, **{key: value}))
          for name, key, value, says in (
              ("llama", "sliding_window", 7, "7 keys of a text of 21 tokens"),
              ("gpt2", "sliding_window", 25, "25 keys of a text of 26 tokens"),
              ("olmo2", "attention_chunk_size", 4, "4 keys of a text of 21 tokens"),
              ("mistral-window", "sliding_window", 1, "a window of 1 token"),
              ("mistral-window", "is_causal", False, "both directions"),
              ("gemma3", "use_bidirectional_attention", True, "both directions"))],
        *[(f"torch.compile, {implementation}{', fullgraph' if fullgraph else ''}", "is compiled",
           lambda implementation=implementation, fullgraph=fullgraph: compiled(implementation, fullgraph))
          for implementation in ("eager", "sdpa") for fullgraph in (False, True)],
        ("output_attentions", "", attentions),
        ("encoder-decoder", "encoder-decoder", encoder_decoder),
        ("cross attention", "", cross_attention),
        ("reorder_and_upcast_attn", "reorder_and_upcast_attn", upcast),
        ("four threads", "", threads),
        ("two models, three taps", "", several),
        ("an error in the tap", "ZeroDivisionError", failing),
        ("training with gradient checkpointing", "", training),
    ]


def small_gpt2(**options):
    return GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=100, bos_token_id=0, eos_token_id=0, **options)


def untap(model, name):
    """Lets a model attend by the functions of an implementation, under another name, so that no tap sees it."""
    for registry in (AttentionInterface, AttentionMaskInterface):
        registry.register(f"untapped_{name}", registry()[name])
    model.set_attn_implementation(f"untapped_{name}")


def steps(model, ids, count):
    """Seconds that the prompt and each of some greedy tokens take."""
    # One thread on a CPU: processor time does not depend on what else the machine does.
    clock = time.perf_counter if ids.is_cuda else time.process_time
    mask, past = torch.ones_like(ids), None
    for _ in range(1 + count):
        started = clock()
        with torch.inference_mode():
            passed = model(input_ids=ids, attention_mask=mask, past_key_values=past, use_cache=True)
            ids, past = passed.logits[:, -1:].argmax(-1), passed.past_key_values
            if ids.is_cuda:
                torch.cuda.synchronize()
        mask = torch.cat((mask, mask[:, :1]), 1)
        yield clock() - started


def cost(background, layers=12, tokens=300):
    """Microseconds of processor time that the tap takes for a decoded token, without a model: of this thread, of all."""
    config = GPT2Config()
    attention = [torch.nn.Module() for _ in range(layers)]
    for layer, module in enumerate(attention):
        module.layer_idx, module.config, module.is_causal = layer, config, True
    shape = 1, config.n_head, tokens + 16, config.n_embd // config.n_head
    q, k = torch.zeros(shape, device=DEVICE), torch.zeros(shape, device=DEVICE)

    def read(tap, begin, end):
        given = torch.zeros(1, end - begin, dtype=torch.long, device=DEVICE), torch.ones(1, end, dtype=torch.long, device=DEVICE)
        queries, keys = q[:, :, begin:end], [k[:, :, :end] for _ in attention]
        started = time.thread_time()
        tap._embed(None, given[:1])
        tap._mask({"attention_mask": given[1]})
        for module, key in zip(attention, keys):
            tap._attention(module, queries, key, {"scaling": 0.125, "dropout": 0.0, "position_ids": None}, True)
        return time.thread_time() - started

    with headscope_tap.tap(name=f"check-{os.getpid()}", layers=layers, background=background, megabytes=64) as tap:
        tap._config = config
        read(tap, 0, 16)
        others, own = time.process_time() - time.thread_time(), []
        for token in range(16, 16 + tokens):
            own.append(read(tap, token, token + 1))
        others = time.process_time() - time.thread_time() - others
    return statistics.mean(own) * 1e6, (statistics.mean(own) + others / tokens) * 1e6


def overhead(rounds, background):
    torch.set_num_threads(1)
    print("| the tap alone, a token of 12 layers with 12 heads | the model's thread | all threads |\n|---|---|---|")
    for copies in (False, True) if DEVICE.type == "cpu" else (True,):
        own, all_threads = cost(copies)
        way = "copies, and hands over later" if copies else "hands over at once"
        print(f"| {way} | {own:.0f} us | {all_threads:.0f} us |")
    print(flush=True)
    small, large = GPT2Config(), LlamaConfig(
        hidden_size=2048, num_hidden_layers=24, num_attention_heads=32, num_key_value_heads=8, intermediate_size=5632,
        vocab_size=32000)
    host = GPT2Config(n_embd=48, vocab_size=1000, bos_token_id=0, eos_token_id=0)
    dtype = torch.bfloat16 if DEVICE.type == "cuda" else torch.float32
    cases = [("GPT-2 small", small), ("the same, width 48", host)]
    if DEVICE.type == "cuda":
        cases.append(("Llama, 1.3 B", large))
    headscope_tap._NANOS_TOGETHER *= 2  # the tapped model alternates with another one: alone, it is twice as fast
    print(f"Ratios for a token are those of {AVERAGED} tokens in a row. Tokens may wait for others twice as long as usual.\n")
    print("| model | attention | prompt + new tokens | without | with the tap | ratio for a token: median, quartiles | of the prompt |")
    print("|---|---|---|---|---|---|---|")
    for name, config in cases:
        torch.manual_seed(1)
        with DEVICE:
            model = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
        attention = model.config._attn_implementation
        plain = copy.deepcopy(model)
        for length, new_tokens in ((16, 68), (512, 36)):
            ids = torch.randint(0, config.vocab_size, (1, length), device=DEVICE)
            without, tapped, prompts = [], [], []
            for _ in range(rounds):
                model, plain = plain, model  # where its weights lie makes one of them faster
                untap(plain, attention)
                model.set_attn_implementation(attention)
                with headscope_tap.tap(model, f"check-{os.getpid()}", background=background):
                    # Tokens of the two models alternate: both see what else the machine does.
                    pairs = list(zip(steps(plain, ids, new_tokens), steps(model, ids, new_tokens)))
                prompts.append(pairs[0])
                for i in range(5, len(pairs), AVERAGED):  # the first ones allocate what the tap needs
                    for times, steps_of in zip((without, tapped), zip(*pairs[i:i + AVERAGED])):
                        times.append(statistics.mean(steps_of))
            first, median, third = statistics.quantiles([a / b for a, b in zip(without, tapped)], n=4)
            prompt = statistics.median([a / b for a, b in prompts[2:]])
            print(f"| {name} | {attention} | {length} + {new_tokens} |"
                  f" {statistics.median(without) * 1e3:.2f} ms | {statistics.median(tapped) * 1e3:.2f} ms |"
                  f" {median:.3f}, {first:.3f} to {third:.3f} | {prompt:.3f} |", flush=True)
    return 0


def same_gpu():
    """Shows a model in Headscope through shared memory and within the GPU; True if a number differs."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headscope-check-"))
    torch.manual_seed(1)
    with DEVICE:
        model = AutoModelForCausalLM.from_config(GPT2Config(), dtype=torch.bfloat16).eval()
    ids = torch.randint(0, 50257, (1, 100), device=DEVICE)
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    copies = []
    write = headscope_tap._Gpu.write
    headscope_tap._Gpu.write = lambda *arguments: copies.append(None) or write(*arguments)
    print("| way | tokens/s of the model | copies within the GPU | passes skipped |\n|---|---|---|---|")
    for way in ("host", "gpu"):
        copies.clear()
        name = f"check-{os.getpid()}-{way}"
        with headscope_tap.tap(model, name) as tap:
            speed(model, given, 8)  # something to read: the tap waits only for a reader that has read
            command = [str(HOME / "headscope"), "live", "--attach", name, "--device", DEVICE.type, "--headless",
                       "--record", str(folder / way)]
            command += ["--same-gpu"] if way == "gpu" and DEVICE.type == "cuda" else []
            headscope = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            said = []
            while "waiting for" not in "".join(said):
                said.append(headscope.stdout.readline() or sys.exit("".join(said)))
            end = time.monotonic() + 20
            while "--same-gpu" in command and tap._ring.gpu is None and headscope.poll() is None and time.monotonic() < end:
                time.sleep(0.01)
            rate = speed(model, given, 32)
        said.append(headscope.communicate(timeout=60)[0])
        print(f"| {way} | {rate:.1f} | {len(copies)} | {tap.skipped} |", flush=True)
        if headscope.returncode:
            sys.exit("".join(said))
    compared = run_java("headscope.live.ring.CompareRecordings", [str(folder / "host"), str(folder / "gpu")])
    print(f"\n{compared.stdout}{compared.stderr if compared.returncode else ''}")
    return bool(compared.returncode)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--java", action="store_true", help="also compare with Headscope's own model")
    arguments.add_argument("--overhead", action="store_true", help="measure what the tap costs")
    arguments.add_argument("--same-gpu", action="store_true", help="compare live --attach with and without --same-gpu")
    arguments.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    arguments.add_argument("--only", default="", help="names of checkpoints, with commas between them (default: all)")
    arguments.add_argument("--rounds", type=int, default=6, help="texts per overhead, an even number from 4 (default: 6)")
    arguments.add_argument("--background", action="store_true", help="hand over in a thread on the CPU too")
    options = arguments.parse_args()
    if options.rounds < 4 or options.rounds % 2:
        arguments.error("--rounds must be an even number from 4")
    global DEVICE
    DEVICE = torch.device(options.device)
    on = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU"
    print(f"PyTorch {torch.__version__}, transformers {transformers.__version__}, {on}\n")
    if options.same_gpu:
        sys.exit(same_gpu())
    only = [name for name in options.only.split(",") if name]
    sys.exit(overhead(options.rounds, options.background or None) if options.overhead else check(options.java, only))


if __name__ == "__main__":
    main()
