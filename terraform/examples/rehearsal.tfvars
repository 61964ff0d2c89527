# What the rehearsal applies to an emulated AWS: the default portal, every host at a fixed address. Left out because the
# emulator lacks it: the budget's receivers; because AWS's provider then sleeps for a minute: the buckets' lifecycle.
# Both are covered by the tests with mocked AWS.

image_id   = "ami-12c6146b"
budget_usd = null
keep       = null
protect    = false

# Ansible works from a bastion, which the hospital reaches from its own addresses. Packages lie on the hosts already.
ssh_bastion  = ["198.51.100.0/24"]
provisioning = false

tiers = {
  edge       = { instance_type = "t3.micro", private_ip = "10.0.1.10" }
  ui         = { instance_type = "t3.small", private_ip = "10.0.2.20" }
  app        = { instance_type = "t3.medium", private_ip = "10.0.2.30", root_gb = 35, data_gb = 100 }
  ml         = { instance_type = "g4dn.xlarge", private_ip = "10.0.2.40", root_gb = 60 }
  monitoring = { instance_type = "t3.small", private_ip = "10.0.2.50", data_gb = 50 }
}
