# The internet is every address but the VPC's own: a host inside is not outside because it has an address. Of each length
# up to the VPC's, the half that the VPC is not in. Each entry counts as a rule of a group (60 are allowed).

locals {
  vpc_length = tonumber(split("/", var.vpc_cidr)[1])
  vpc_octets = [for octet in split(".", split("/", var.vpc_cidr)[0]) : tonumber(octet)]
  vpc_number = sum([for place, octet in local.vpc_octets : octet * pow(256, 3 - place)])
  vpc_halves = { for length in range(1, local.vpc_length + 1) : length => floor(local.vpc_number / pow(2, 32 - length)) }
  internet   = [for length, half in local.vpc_halves : cidrsubnet("0.0.0.0/0", length, half % 2 == 0 ? half + 1 : half - 1)]
}

resource "aws_ec2_managed_prefix_list" "internet" {
  name           = "${var.name}-internet"
  address_family = "IPv4"
  max_entries    = local.vpc_length
  tags           = { Name = "${var.name}-internet" }

  dynamic "entry" {
    for_each = local.internet
    content {
      cidr = entry.value
    }
  }
}
