#!/usr/bin/env bash
# An environment of their own for PyTorch and MONAI, on top of the project's, and LiteMedSAM's sources.
set -euo pipefail
commit=b0fab476e54e631dd412b25e0db9fdf2a2b0f54c # branch LiteMedSAM, April 2025
if [[ ! -x .venv-torch/bin/python ]]; then
  echo "Installing PyTorch and MONAI to measure against (about 3 minutes, 1 GB)…"
  .venv/bin/python -m venv .venv-torch
  site=$(.venv-torch/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$site/project.pth"
  .venv-torch/bin/python -m pip install --quiet torch==2.13.0
  .venv-torch/bin/python -m pip install --quiet --no-deps monai==1.6.1
fi
if [[ ! -d ${LITE_MEDSAM:=var/LiteMedSAM} ]]; then
  git clone --quiet --branch LiteMedSAM https://github.com/bowang-lab/MedSAM "$LITE_MEDSAM"
  git -C "$LITE_MEDSAM" checkout --quiet "$commit"
fi
