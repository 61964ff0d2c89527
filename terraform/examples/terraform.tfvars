# A hospital's portal with one GPU host. Copy it beside main.tf and change what differs:
#   terraform init && terraform apply

name   = "lightbox"
region = "eu-central-1"

# Two zones, because RDS wants them.
zones = {
  a = { public_cidr = "10.0.1.0/24", private_cidr = "10.0.2.0/24" }
  b = { public_cidr = "10.0.3.0/24", private_cidr = "10.0.4.0/24" }
}

# AWS runs the database; Redis stays on App's host.
database = { instance_class = "db.t4g.small", multi_az = true }

# While Ansible works; set it back to false and apply again afterwards.
provisioning = true

# GPU hosts come when a job waits for half a minute, and go when nothing waited for 20 minutes.
cloudwatch_agent = true
tiers = {
  edge       = { instance_type = "t3.micro" }
  ui         = { instance_type = "t3.small" }
  app        = { instance_type = "t3.medium", root_gb = 35, data_gb = 100 }
  ml         = { instance_type = "g4dn.xlarge", root_gb = 60, group = { min = 0, desired = 0, max = 3 } }
  monitoring = { instance_type = "t3.small", data_gb = 50 }
}

alarm_mail = ["operations@hospital.example"]
budget_usd = 900
