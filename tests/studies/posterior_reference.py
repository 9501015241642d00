"""Long Markov chains of the CDNOW posteriors: the reference for the importance-sampled ones.

emcee's stretch move on the exact posterior under the weak default prior: 64 walkers, 16,000 steps,
the first 2,000 discarded. Some minutes, most of them Pareto/NBD's. Prints what
`tests/inference/test_posterior.py` holds as reference figures: means of the parameters, and of
their logarithms where a parameter has a long tail (Pareto/NBD's s and beta).

    python tests/studies/posterior_reference.py
"""

from __future__ import annotations

import emcee
import numpy as np

import clv
from clv.inference.posterior import log_posterior

WALKERS, STEPS, BURN = 64, 16_000, 2_000


def main() -> None:
    """Sample and print mean, standard deviation and Monte Carlo error of each parameter."""
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    histories = clv.histories(orders, end="1997-09-30", unit="week")
    for model in (clv.BGNBD, clv.MBGNBD, clv.GammaGamma, clv.ParetoNBD):
        fit = model.fit(histories)
        mode = np.log(list(fit.parameters.values()))
        rng = np.random.default_rng(20)
        root = np.linalg.cholesky(fit.log_covariance)
        start = mode + 0.5 * rng.standard_normal((WALKERS, len(mode))) @ root.T
        sampler = emcee.EnsembleSampler(
            WALKERS, len(mode), lambda at, fit=fit: log_posterior(fit, at), vectorize=True
        )
        sampler.random_state = np.random.RandomState(20).get_state()
        sampler.run_mcmc(start, STEPS)
        time = sampler.get_autocorr_time(tol=0)
        draws = np.exp(sampler.get_chain(discard=BURN, flat=True))
        size = len(draws) / time
        print(f"{model.label}: autocorrelation times {np.round(time, 1)}")
        for name, column, n in zip(fit.parameters, draws.T, size, strict=True):
            for what, values in ((name, column), (f"ln {name}", np.log(column))):
                mean, deviation = values.mean(), values.std()
                error = deviation / np.sqrt(n)
                print(f"  {what}: mean {mean:.6g}, sd {deviation:.4g}, error {error:.2g}")


if __name__ == "__main__":
    main()
