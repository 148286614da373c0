"""VAE (cross-entropy): images as independent Bernoulli pixels."""

from __future__ import annotations

from torch import Tensor

from maskaae.method.spec import ModelSpec
from maskaae.models.variational import VariationalAutoEncoder, bernoulli_error


class BernoulliVae(VariationalAutoEncoder):
    """The variational auto-encoder of Kingma and Welling (2014), decoder of appendix C.1.

    Vectors are refused: a Bernoulli variable has no density outside [0, 1], and the squared error that is
    sometimes put in its place is the decoder of fixed variance, a model of its own here.

    Raises
    ------
    ValueError
        If the data are no images.
    """

    def __init__(self, spec: ModelSpec) -> None:
        if spec.kind != "images":
            raise ValueError(
                "model 'vae': cross-entropy sees only images; vectors take vae_fixed or vae_learned"
            )
        super().__init__(spec)

    def error(self, x: Tensor, codes: Tensor) -> Tensor:
        """Cross-entropy of the pixels, nats an example, (seed, batch)."""
        return bernoulli_error(x, self.decoder(codes))
