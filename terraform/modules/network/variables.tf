variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "AWS region, part of the names of the endpoints' services."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses of the VPC."
  type        = string
}

variable "zones" {
  description = "Availability zones, by their letter, with the addresses of each one's two subnets."
  type        = map(object({ public_cidr = string, private_cidr = string }))
}

variable "nat" {
  description = "none: private hosts reach AWS by endpoints alone. one: a NAT gateway in the first zone. zonal: one in each."
  type        = string
}

variable "endpoint_services" {
  description = "AWS services that hosts reach inside the VPC, by the end of the service's name."
  type        = set(string)
}

variable "endpoint_group_id" {
  description = "Security group of the interface endpoints."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the flow logs."
  type        = string
}

variable "log_days" {
  description = "Days that flow logs are kept."
  type        = number
}
