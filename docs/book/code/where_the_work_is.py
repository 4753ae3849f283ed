"""The products of Moonshine Tiny, and the weights that it reads, for a second of speech."""

from tools.docs.model_work import parts

print("part              numbers  million products  MB of weights")
for part in parts():
    millions, megabytes = part.products / 1e6, part.weight_bytes / 1e6
    print(f"{part.name:17} {part.numbers:7}  {millions:16.0f}  {megabytes:13.1f}")
