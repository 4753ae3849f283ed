"""How often a comparison of two settings is decided by chance."""

import json
from math import sqrt
from pathlib import Path
from statistics import NormalDist

models = json.loads(Path("docs/performance/accuracy.json").read_text())["models"]
print("model              errors, %  one round differs by  wrong choice, rounds: 1    5   20")
for row in models[:2]:
    rounds, whole = row["rounds"], row["whole"]
    one_round = whole["standard error"] * sqrt(rounds)
    wrong = [
        NormalDist().cdf(-0.3 / (one_round * sqrt(2 / number)))  # 0.3 points better in truth
        for number in (1, 5, 20)
    ]
    shares = " ".join(f"{share:4.0%}" for share in wrong)
    print(f"{row['model']}  {whole['mean']:9.2f}  {one_round:20.2f}  {'':23}{shares}")
