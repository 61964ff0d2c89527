variable "name" {
  description = "Prefix of every name and the tag Portal; lower case, because buckets and databases want it."
  type        = string
  default     = "lightbox"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name: expected 3 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "AWS region. It must offer the GPU type of the ML tier."
  type        = string
  default     = "eu-central-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: expected the short name of a region, for example eu-central-1."
  }
}

variable "tags" {
  description = "Further tags of everything, for example the cost centre."
  type        = map(string)
  default     = {}
}

variable "vpc_cidr" {
  description = "Addresses of the VPC."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0))
    error_message = "vpc_cidr: expected a range such as 10.0.0.0/16."
  }
}

variable "zones" {
  description = "Availability zones by letter, each with a public and a private subnet. A second one is needed by RDS."
  type        = map(object({ public_cidr = string, private_cidr = string }))
  default     = { a = { public_cidr = "10.0.1.0/24", private_cidr = "10.0.2.0/24" } }

  validation {
    condition     = length(var.zones) > 0 && alltrue([for zone, nets in var.zones : can(regex("^[a-z]$", zone)) && can(cidrhost(nets.public_cidr, 0)) && can(cidrhost(nets.private_cidr, 0))])
    error_message = "zones: expected a letter and two address ranges for each."
  }
}

variable "nat" {
  description = "none: private hosts reach AWS by endpoints alone. one: a NAT gateway in the first zone. zonal: one in each."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["none", "one", "zonal"], var.nat)
    error_message = "nat: expected none, one or zonal."
  }
}

variable "ssh_bastion" {
  description = "Who must have SSH: addresses of the hospital that may reach a bastion; null: none, Session Manager instead."
  type        = set(string)
  default     = null

  validation {
    condition     = var.ssh_bastion == null ? true : alltrue([for range in var.ssh_bastion : can(cidrhost(range, 0)) && try(tonumber(split("/", range)[1]) >= 16, false)])
    error_message = "ssh_bastion: expected address ranges of the hospital, /16 or narrower; never the world."
  }
}

variable "alert_receivers" {
  description = "Addresses of the hospital's mail server and webhook, which Alertmanager may reach on 587 and 443."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for range in var.alert_receivers : can(cidrhost(range, 0)) && try(tonumber(split("/", range)[1]) >= 16, false)])
    error_message = "alert_receivers: expected address ranges, /16 or narrower; never the world."
  }
}

variable "directory" {
  description = "Addresses of the hospital's directory (OpenID Connect), which App asks on 443 when people sign in by it."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for range in var.directory : can(cidrhost(range, 0)) && try(tonumber(split("/", range)[1]) >= 16, false)])
    error_message = "directory: expected address ranges, /16 or narrower; never the world."
  }
}

variable "provisioning" {
  description = "true while hosts are provisioned: packages come through the NAT gateway. Set it back to false afterwards."
  type        = bool
  default     = false

  validation {
    condition     = !var.provisioning || var.nat != "none"
    error_message = "provisioning: needs a NAT gateway (nat = one or zonal)."
  }
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "log_days: expected a period of at least a year that CloudWatch knows: 365, 400, 545, 731, 1096, 1827, 2192 (six years), 2557, 2922, 3288 or 3653."
  }
}

variable "protect" {
  description = "Refuse to delete hosts, load balancer and database by mistake. Set false, apply, then destroy."
  type        = bool
  default     = true
}
