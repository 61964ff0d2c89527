"""What comes of models that outline structures instead of naming a finding: masks, checked before anyone sees them."""
