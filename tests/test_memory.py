"""Memory of a long stream."""

import subprocess
import sys

import pytest
import torch

from spacy_ramie.device import multiplies_bfloat16

# In a process of its own: the caches are those of the process.
SCRIPT = """
from ctypes import CDLL, Structure, c_size_t
import torch
from spacy_ramie import default
from spacy_ramie.engine.loading import load_model

class Info(Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, c_size_t) for name in names.split()]

libc = CDLL("libc.so.6")
libc.mallinfo2.restype = Info

def read(lengths):
    with torch.inference_mode():
        for length in lengths:
            model(torch.ones((1, length), dtype=torch.long))
    return libc.mallinfo2().uordblks / 2**20

torch.set_num_threads(1)
device = torch.device("cpu")
model = load_model(str(default.BASE), None, device, torch.bfloat16).model
print(read(range(20, 80)), read(range(80, 200)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
@pytest.mark.skipif(
    not multiplies_bfloat16(torch.device("cpu")), reason="no kernels, and very slow"
)
def test_memory_does_not_grow_with_the_lengths_of_prompts_in_half_precision():
    output = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    ).stdout
    first, then = map(float, output.split())
    # In MiB; with caches of their own size it is some 200.
    assert then - first < 20
