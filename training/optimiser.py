"""Muon for the matrices, AdamW for the rest.

Muon turns a matrix's averaged gradient into the nearest matrix whose singular
values are all about 1 and steps along that. Written out because the 16-bit
arithmetic of torch's own is slow on CPUs without 16-bit instructions. It was not
compared with AdamW alone in a full run.
"""

import torch

# Jordan's coefficients for the quintic Newton-Schulz iteration.
QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonal(gradient: torch.Tensor, rounds: int = 4) -> torch.Tensor:
    """Matrices of shape (count, rows, columns) with their singular values pushed towards 1."""
    wide = gradient if gradient.size(-2) <= gradient.size(-1) else gradient.mT
    wide = wide / (wide.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = QUINTIC
    for _ in range(rounds):
        square = wide @ wide.mT
        wide = a * wide + (b * square + c * square @ square) @ wide
    return wide if gradient.size(-2) <= gradient.size(-1) else wide.mT


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; matrices of one shape are handled together."""

    def __init__(self, matrices, lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(list(matrices), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        """One step for every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: dict = {}
            for matrix in group["params"]:
                state = self.state[matrix]
                if "average" not in state:
                    state["average"] = torch.zeros_like(matrix)
                state["average"].lerp_(matrix.grad, 1 - group["momentum"])
                ahead = matrix.grad.lerp(state["average"], group["momentum"])
                by_shape.setdefault(matrix.shape, []).append((matrix, ahead))
            for shape, pairs in by_shape.items():
                scale = group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5
                for (matrix, _), update in zip(
                    pairs, orthogonal(torch.stack([ahead for _, ahead in pairs])), strict=True
                ):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-scale)


def build(model, muon_lr: float, adam_lr: float) -> list[torch.optim.Optimizer]:
    """The two optimisers of a model: layers' matrices to Muon, embeddings, output and norms to AdamW."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and ".layers." in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or ".layers." not in name]
    return [Muon(matrices, muon_lr), torch.optim.AdamW(others, adam_lr, betas=(0.9, 0.98), weight_decay=0.0)]
